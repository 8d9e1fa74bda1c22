"""Pages of tracing (溯源)."""
