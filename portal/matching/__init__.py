"""Pages of matching (记录匹配): pairs of a record without an identifier and the entity it may belong to."""
