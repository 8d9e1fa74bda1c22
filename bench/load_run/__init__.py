"""A load run with kills (压测): partners call for minutes while process after process is killed; then the books are read."""
