"""Texts people type in or take away: what of them can be seen, and what a spreadsheet must not run.

How long they may be and what they may hold is each subject's own rule.
"""

from __future__ import annotations

import unicodedata
from typing import Final

FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


def visible(text: str) -> str:
    """Return a text without what nobody sees: format characters (category Cf, such as U+200B) and blanks at its ends."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf").strip()


def harmless_cell(value: object) -> str:
    """Return the text of a cell no spreadsheet takes for a formula: an apostrophe stands before what would be one."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
