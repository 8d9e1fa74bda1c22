"""Pages of dossiers (一人一档、一企一档)."""
