"""Bulk jobs of a grant: how far they are, what is in their parts, who fetched which when."""
