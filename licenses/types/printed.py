"""Words printed on licenses (照面用语): Chinese in every language of the pages, as the paper is. Pure.

Also the made-up values of previews, which are about nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

FOR_EVER = "长期"
VALID_FOR_EVER = "长期有效"
_SAMPLE_DAY = date(2026, 2, 1)


def day_printed(day: date) -> str:
    """Return a day as licenses have it."""
    return f"{day.year}年{day.month:02d}月{day.day:02d}日"


def validity_printed(first: date, last: date | None) -> str:
    """Return a validity as licenses have it."""
    return VALID_FOR_EVER if last is None else f"{day_printed(first)}至{day_printed(last)}"


def sample_of(*, code: str, name: str, is_person: bool, months: int | None, issuer: str) -> Mapping[str, str]:
    """Return made-up values of what every license has (`layout.BUILT_IN`)."""
    last = None if months is None else date(_SAMPLE_DAY.year + max(1, months // 12), 1, 31)
    return {
        "license.type_name": name,
        "license.number": "示例2026-000001",
        "license.identifier": f"1.2.156.3005.2.{code}.11320100000000000X.2026000001.001.X",
        "license.holder_names": "张示例" if is_person else "南京示例商贸有限公司",
        "license.holder_codes": "99010119900101001X" if is_person else "91990101MA0000000X",
        "license.issuer_name": issuer,
        "license.issued_on": day_printed(_SAMPLE_DAY),
        "license.valid_from": day_printed(_SAMPLE_DAY),
        "license.valid_to": FOR_EVER if last is None else day_printed(last),
        "license.validity": validity_printed(_SAMPLE_DAY, last),
        "license.version": "001",
    }
