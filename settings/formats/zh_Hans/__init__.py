"""Chinese: figures in groups of three."""
