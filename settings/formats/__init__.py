"""How numbers are written, where it differs from the framework's habit for the language."""
