"""Texts people type in, read or take away: what of them can be seen, how words stand in a row, what a spreadsheet must not run.

How long they may be and what they may hold is each subject's own rule.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext as _

FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # wide ones count in a Chinese spreadsheet


def visible(text: str) -> str:
    """Return a text without what nobody sees: format characters (category Cf, such as U+200B) and blanks at its ends."""
    return "".join(c for c in text if unicodedata.category(c) != "Cf").strip()


def bare(text: str) -> str:
    """Return a name without width, case, punctuation and spaces: names equal in this form are the same name."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())


def listed(words: Iterable[object]) -> str:
    """Return words in a row as the language of the page separates them: 、 in Chinese, a comma in English."""
    return _("、").join(str(word) for word in words)


def in_clauses(parts: Iterable[object]) -> str:
    """Return parts that are longer than a word in a row, by ； or a semicolon."""
    return _("；").join(str(part) for part in parts)


def headed(title: object, text: object) -> str:
    """Return a text behind what it is about, by ： or a colon."""
    return f"{title}{_('：')}{text}"


def bracketed(text: object, aside: object) -> str:
    """Return a text with an aside behind it, in the brackets of the page's language."""
    return f"{text}{_('（')}{aside}{_('）')}"


def harmless_cell(value: object) -> str:
    """Return the text of a cell no spreadsheet takes for a formula: an apostrophe stands before what would be one."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def cell_as_it_was(text: str) -> str:
    """Return the text a harmless cell was made of."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_SIGNS) else text
