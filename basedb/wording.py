"""What people read of a value in standard writing (取值展示): labels of codes, names of divisions, days with dashes.

Masks and who may see a value are decided by those who show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from basedb.code_sets import CODE_SETS
from basedb.dictionary import DataType, Field
from core.texts import bracketed

NO_DIVISIONS: Final[Mapping[str, str]] = MappingProxyType({})


def worded(field: Field, raw: str, divisions: Mapping[str, str] = NO_DIVISIONS) -> str:
    """Return a value as people read it; `divisions` are names by code as it is written."""
    if field.is_division:
        return named(raw, divisions)
    if field.code_set in CODE_SETS:
        return str(CODE_SETS[field.code_set].label(raw))
    return day(raw) if field.data_type is DataType.DATE else raw


def named(code: str, names: Mapping[str, str]) -> str:
    """Return what a code is called, with the code behind it; the code alone when nobody knows it."""
    return bracketed(names[code], code) if code in names else code


def day(raw: str) -> str:
    """Return a day of eight digits as people read it."""
    return f"{raw[:4]}-{raw[4:6]}-{raw[6:]}" if len(raw) == 8 and raw.isdigit() else raw
