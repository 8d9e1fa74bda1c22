"""What a signature over a license covers (证照数据规范化): one stable sequence of bytes, and its SM3 digest.

JSON in UTF-8 with sorted keys, no spaces, dates as YYYY-MM-DD, texts in Unicode form NFC. State and paper are not part
of it: they change without a new version. Whoever has these bytes can check the signature with `openssl` alone.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from licenses.models import License, LicenseHolder

FORM: Final = "license/1"


@dataclass(frozen=True, slots=True)
class HolderData:
    """A holder as the license names it, in the license's order."""

    name: str
    code: str
    code_type: str


@dataclass(frozen=True, slots=True)
class LicenseData:
    """Everything of one version of a license that never changes."""

    identifier: str
    type_code: str
    type_number: int
    issuer_code: str
    issuer_name: str
    serial: str
    version: int
    number: str
    region_code: str
    holders: tuple[HolderData, ...]
    issued_on: date
    valid_from: date
    valid_to: date | None
    face: Mapping[str, str]


def data_of(license: License, holders: Iterable[LicenseHolder] | None = None) -> LicenseData:
    """Return the data of a stored license; `type_version` and `holders` are read unless they are loaded or given."""
    found = sorted(license.holders.all() if holders is None else holders, key=lambda holder: holder.ordinal)
    return LicenseData(
        identifier=license.identifier,
        type_code=license.type_code,
        type_number=license.type_version.number,
        issuer_code=license.issuer_code,
        issuer_name=license.issuer_name,
        serial=license.serial,
        version=license.version,
        number=license.number,
        region_code=license.region_code,
        holders=tuple(HolderData(holder.name, holder.code, holder.code_type) for holder in found),
        issued_on=license.issued_on,
        valid_from=license.valid_from,
        valid_to=license.valid_to,
        face=license.face,
    )


def canonical(data: LicenseData) -> bytes:
    """Return the bytes that are digested and signed."""
    content = {
        "form": FORM,
        "identifier": data.identifier,
        "type": data.type_code,
        "type_version": data.type_number,
        "issuer": {"code": data.issuer_code, "name": data.issuer_name},
        "serial": data.serial,
        "version": data.version,
        "number": data.number,
        "region": data.region_code,
        "holders": [{"name": holder.name, "code": holder.code, "code_type": holder.code_type} for holder in data.holders],
        "issued_on": data.issued_on.isoformat(),
        "valid_from": data.valid_from.isoformat(),
        "valid_to": data.valid_to.isoformat() if data.valid_to else "",
        "face": {name: str(value) for name, value in data.face.items()},
    }
    return canonical_json(content)


def canonical_json(content: Mapping[str, Any]) -> bytes:
    """Return the bytes of a JSON object: texts in Unicode form NFC, then sorted keys, no spaces, UTF-8."""
    return json.dumps(_composed(content), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _composed(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        return {_composed(name): _composed(inner) for name, inner in value.items()}
    return [_composed(inner) for inner in value] if isinstance(value, list) else value
