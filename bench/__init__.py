"""Measurements (测速): what `make bench` runs, with the yardsticks each figure is compared with."""
