"""Version 1 of the REST interface: one file a subject."""
