"""Figures in offices are grouped by thousands, not by ten thousands."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
