"""Fusion (融合): golden rows as a pure function of source records, people's decisions and the rules of authority."""
