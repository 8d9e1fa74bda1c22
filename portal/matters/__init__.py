"""Matters (一件事) at the door for people: the list, the editor, the window's desk, cases and what was saved."""
