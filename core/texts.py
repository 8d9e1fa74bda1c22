"""Texts people type in: what of them can be seen. How long they may be and what they may hold is each subject's own rule."""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """Return a text without what nobody sees: format characters (category Cf, such as U+200B) and blanks at its ends."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf").strip()
