"""Pages of the evidence (存证)."""
