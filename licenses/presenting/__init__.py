"""Presenting (亮证), the holder's side: the one code of a person or an enterprise, and what becomes of it."""
