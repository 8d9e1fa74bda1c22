"""证照核验: the public pages of verification, without sign-in."""
