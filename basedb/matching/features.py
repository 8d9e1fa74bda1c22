"""What is compared (比对特征): one writing of a person's name, birth date, phone, address for a record and for a golden row.

Pure. Features are personal data: they live in the memory of a worker and are never logged nor stored; `basis` is what tells
whether either side changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Final

from basedb.fusion.names import normalized

COMPARED: Final = ("name", "former_name", "sex", "birth_on", "region_code", "address", "phone")
_COUNTY: Final = 6
_PHONE_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class Features:
    """One side of a pair; None is "does not say"."""

    unique_id: str
    name: str | None
    former_name: str | None
    pinyin: str | None
    surname: str | None
    birth_on: str | None
    birth_year: str | None
    birth_swapped: str | None
    sex: str | None
    phone: str | None
    address: str | None
    county: str | None


def features_of(unique_id: str, values: Mapping[str, str | None]) -> Features:
    """Read the features from values in standard writing (dates as YYYYMMDD); `address` is expected normalized already."""
    name = normalized(values.get("name") or "") or None
    birth_on = values.get("birth_on") or None
    sex = values.get("sex")
    phone = "".join(filter(str.isdigit, values.get("phone") or ""))[-_PHONE_DIGITS:] or None
    return Features(
        unique_id=unique_id,
        name=name,
        former_name=normalized(values.get("former_name") or "") or None,
        pinyin=_sounded(name) if name else None,
        surname=name[:1] if name else None,
        birth_on=birth_on,
        birth_year=birth_on[:4] if birth_on else None,
        birth_swapped=swapped(birth_on) if birth_on else None,
        sex=sex if sex in ("1", "2") else None,
        phone=phone,
        address=values.get("address") or None,
        county=(values.get("region_code") or "")[:_COUNTY] or None,
    )


def _sounded(name: str) -> str:
    from pypinyin import lazy_pinyin  # its dictionary takes 60 MB, which only a worker that matches needs

    return " ".join(lazy_pinyin(name))


def swapped(birth_on: str) -> str | None:
    """Return a date with day and month exchanged when that is another date."""
    year, month, day = birth_on[:4], birth_on[4:6], birth_on[6:]
    return year + day + month if month != day and day <= "12" else None


def basis(record: Features, person: Features) -> bytes:
    """Return a digest of everything both sides say."""
    said = [value or "" for side in (record, person) for value in list(asdict(side).values())[1:]]
    return blake2b("\x1f".join(said).encode(), digest_size=16).digest()
