"""Presenting (亮证), the scanning side: a system, or a clerk at the desk, gets what its matter needs once the holder agreed."""
