"""Evidence (存证): what was exchanged is sealed in batches, chained, signed, archived, and can be verified by anyone."""
