"""Grants (授权): what a system may do, each version kept; narrowed, suspended, ended. The call path reads the rows only."""
