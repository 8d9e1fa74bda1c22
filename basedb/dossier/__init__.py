"""What the base databases hold of one person or entity (一人一档): one query a module. Who may see it is decided above."""
