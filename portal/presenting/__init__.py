"""Scanning codes at the desk, and who may let holders in or stop them."""
