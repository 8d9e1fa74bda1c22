"""What a column of a source seems to hold (字段识别), by name, comment and a value: its mask, and whether it names a subject.

Only hints: a field of the contract says by itself how it is masked. What nothing is known of is shown as a short code, number or
day only; any other text may be somebody's and keeps its first character.
"""

from __future__ import annotations

import re
from typing import Final

from basedb.masking import Mask
from exchange.aggregation.connectors.terms import Column

_CITIZEN_ID: Final = re.compile(r"[1-9]\d{14}(?:\d{2}[\dXx])?")
_PHONE: Final = re.compile(r"1[3-9]\d{9}")
_NUMBER_INSIDE: Final = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|[1-9]\d{14}|[1-9]\d{16}[\dXx])(?![\dXx])")
_HARMLESS: Final = re.compile(r"[A-Za-z0-9_.+-]{1,10}|\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:[ T][0-9:.+Z-]{1,20})?")
_KINDS: Final = (
    (Mask.CITIZEN_ID, re.compile(r"身份|GMSFHM|SFZ|IDCARD|ID_CARD|citizen_id", re.IGNORECASE)),
    (Mask.PHONE, re.compile(r"电话|手机|联系方式|PHONE|MOBILE|LXDH|SJH", re.IGNORECASE)),
    (Mask.NAME, re.compile(r"姓名|(^|_)XM\b|person_name|法定代表人", re.IGNORECASE)),
    (Mask.ADDRESS, re.compile(r"住址|地址|住所|ADDR|DZ\b", re.IGNORECASE)),
    (
        Mask.HIDDEN,
        re.compile(
            r"姓名|名称|住址|地址|电话|手机|证件|身份|号码|XM$|DZ$|DH$|SFZ|ZJHM|GMSFHM|NAME|PHONE|ADDR|IDCARD", re.IGNORECASE
        ),
    ),
)
_IDENTIFIERS: Final = re.compile(r"公民身份|身份证|统一社会信用代码|GMSFHM|SFZH|TYSHXYDM|citizen_id|uscc", re.IGNORECASE)


def suggested_mask(column: Column, value: str = "") -> Mask:
    """Return the mask a column seems to need, by what stands in it, its name or its comment."""
    if _CITIZEN_ID.fullmatch(value):
        return Mask.CITIZEN_ID
    if _PHONE.fullmatch(value):
        return Mask.PHONE
    named = f"{column.name} {column.comment}"
    by_name = next((mask for mask, form in _KINDS if form.search(named)), None)
    if by_name is not None:
        return by_name
    return Mask.HIDDEN if _NUMBER_INSIDE.search(value) else Mask.NONE


def cautious_mask(column: Column, value: str) -> Mask:
    """Return the mask of a value no field of the contract speaks for."""
    suggested = suggested_mask(column, value)
    return Mask.NAME if suggested is Mask.NONE and not _HARMLESS.fullmatch(value) else suggested


def is_identifier(column: Column) -> bool:
    """Return whether a column seems to name the subject of a row."""
    return _IDENTIFIERS.search(f"{column.name} {column.comment}") is not None
