"""核验: whether a license is genuine, in force and of whom it says: integrity, status and issuer apart, each with its reason."""
