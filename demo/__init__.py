"""The demo city (演示): synthetic people, entities and offices, loaded by one command. Nothing imports it."""
