"""The whole city on stores of its own (全市规模试验): taken in by real workers, followed to the dossiers, shot at when wanted."""
