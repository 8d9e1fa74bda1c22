"""Aggregation (归集): plans, connectors, runs with checkpoints, rejected rows and their replay."""
