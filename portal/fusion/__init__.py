"""Pages of fusion (融合): conflicts to be verified, rules of authority, decisions that wait for a second person."""
