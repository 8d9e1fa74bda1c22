"""Masking of granted columns (脱敏): one kind a column, in Python and in SQL with the same result.

Bulk answers leave the database through COPY, so the masks are SQL expressions over text; the Python twins serve previews
and tests. Null stays null under every mask. Which grant applies which mask is decided by the grant, not here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from django.utils.translation import gettext_lazy as _

from basedb.sql_text import quote

HIDDEN_TEXT = "******"

# Province, city, county: units end in one of the marks and hold none of them, so both regex engines cut alike.
_UNIT_ENDS = "省市区县旗州盟路街道镇乡村号"
ADDRESS_HEAD = f"^(?:[^{_UNIT_ENDS}]{{1,12}}(?:州?[省市区县旗盟]|州)){{1,3}}"
_ADDRESS_HEAD_RE = re.compile(ADDRESS_HEAD)


class Mask(StrEnum):
    """Kinds of masks a grant may name."""

    NONE = "NONE"
    NAME = "NAME"
    CITIZEN_ID = "CITIZEN_ID"
    PHONE = "PHONE"
    ADDRESS = "ADDRESS"
    USCC = "USCC"
    BIRTH_YEAR = "BIRTH_YEAR"
    COUNTY = "COUNTY"
    SNAP_10M = "SNAP_10M"
    SNAP_100M = "SNAP_100M"
    SNAP_1KM = "SNAP_1KM"
    CENTRE = "CENTRE"
    CENTRE_1KM = "CENTRE_1KM"
    HIDDEN = "HIDDEN"


MASK_TITLES = {
    Mask.NONE: _("不脱敏"),
    Mask.NAME: _("只留姓名首字"),
    Mask.CITIZEN_ID: _("身份号码留前六位后四位"),
    Mask.PHONE: _("电话留前三位后四位"),
    Mask.ADDRESS: _("地址留到区县"),
    Mask.USCC: _("信用代码留前八位后一位"),
    Mask.BIRTH_YEAR: _("日期只留年份"),
    Mask.COUNTY: _("区划代码留到区县"),
    Mask.SNAP_10M: _("坐标概略到10米"),
    Mask.SNAP_100M: _("坐标概略到100米"),
    Mask.SNAP_1KM: _("坐标概略到1公里"),
    Mask.CENTRE: _("图形只留中心点"),
    Mask.CENTRE_1KM: _("图形只留中心点，概略到1公里"),
    Mask.HIDDEN: _("全部隐藏"),
}

# Masks of geometry: their expressions are in `precision`. Each chain goes from the finer to the coarser.
_COARSER = ((Mask.SNAP_10M, Mask.SNAP_100M, Mask.SNAP_1KM), (Mask.CENTRE, Mask.CENTRE_1KM))
OF_GEOMETRY = frozenset(mask for chain in _COARSER for mask in chain)


def is_as_strict(mask: Mask, other: Mask) -> bool:
    """Return whether `mask` shows nothing that `other` hides.

    A partial order: no mask is the laxest, hiding all the strictest; two different kinds between them cannot be compared,
    since which of them shows more depends on the value. Of two precisions of geometry the coarser one is the stricter.
    """
    if mask is other or mask is Mask.HIDDEN or other is Mask.NONE:
        return True
    return any(mask in chain and other in chain and chain.index(mask) > chain.index(other) for chain in _COARSER)


@dataclass(frozen=True)
class _Twin:
    """The same mask for a Python string and for an SQL text expression."""

    value: Callable[[str], str]
    sql: Callable[[str], str]


def mask_value(mask: Mask, value: str | None) -> str | None:
    """Return `value` as somebody granted under `mask` may see it."""
    return None if value is None else _TWINS[mask].value(value)


def mask_sql(mask: Mask, expression: str) -> str:
    """`mask_value` as an immutable SQL expression; `expression` must be text and cheap, it appears several times."""
    return _TWINS[mask].sql(expression)


def _keep(head: int, tail: int, value: str) -> str:
    stars = len(value) - head - tail
    return "*" * len(value) if stars <= 0 else value[:head] + "*" * stars + value[len(value) - tail :]


def _keep_sql(head: int, tail: int, text: str) -> str:
    length = f"char_length({text})"
    kept = f"left({text},{head})||repeat('*',{length}-{head + tail})"
    kept += f"||right({text},{tail})" if tail else ""
    return f"(CASE WHEN {length}<={head + tail} THEN repeat('*',{length}) ELSE {kept} END)"


def _start(length: int, value: str) -> str:
    return value[:length]


def _start_sql(length: int, text: str) -> str:
    return f"left({text},{length})"


def _address(value: str) -> str:
    head = _ADDRESS_HEAD_RE.match(value)
    return (head.group() if head else "") + HIDDEN_TEXT


def _address_sql(text: str) -> str:
    head = f"coalesce(substring({text} from {quote(ADDRESS_HEAD)}),'')"
    return f"(CASE WHEN {text} IS NOT NULL THEN {head}||'{HIDDEN_TEXT}' END)"


def _kept_ends(head: int, tail: int) -> _Twin:
    return _Twin(partial(_keep, head, tail), partial(_keep_sql, head, tail))


def _kept_start(length: int) -> _Twin:
    return _Twin(partial(_start, length), partial(_start_sql, length))


_HIDDEN = _Twin(lambda value: HIDDEN_TEXT, lambda text: f"(CASE WHEN {text} IS NOT NULL THEN '{HIDDEN_TEXT}' END)")

_TWINS = {
    Mask.NONE: _Twin(lambda value: value, lambda text: text),
    Mask.NAME: _kept_ends(1, 0),
    Mask.CITIZEN_ID: _kept_ends(6, 4),
    Mask.PHONE: _kept_ends(3, 4),
    Mask.ADDRESS: _Twin(_address, _address_sql),
    Mask.USCC: _kept_ends(8, 1),
    Mask.BIRTH_YEAR: _kept_start(4),
    Mask.COUNTY: _kept_start(6),
    Mask.HIDDEN: _HIDDEN,
} | dict.fromkeys(OF_GEOMETRY, _HIDDEN)  # a text under a mask of geometry is not shown at all
