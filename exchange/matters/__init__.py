"""Matters (一件事一次办): which materials licenses and base data replace, and fetching them for a case in one call."""
