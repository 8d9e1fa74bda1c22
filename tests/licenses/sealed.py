"""What tests about sealed files need: keys, a type that is laid out, and a license of it, as rows."""

from __future__ import annotations

from datetime import date, datetime
from itertools import count
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from core.crypto import sm3
from core.models import Department
from licenses import numbering
from licenses.models import HolderKind, KeyPurpose, License, LicenseHolder, TypeState, TypeVersion, ValidityKind
from licenses.sealing import keys
from licenses.sealing.canonical import canonical, data_of

RULEBOOK = [
    {"name": "premises", "title": "经营场所", "kind": "TEXT", "length": 100, "required": True},
    {"name": "scope", "title": "经营项目", "kind": "TEXT", "length": 200},
]
LAYOUT: dict[str, Any] = {
    "width": 210.0,
    "height": 148.0,
    "background": "#fffdf5",
    "elements": [
        {"kind": "box", "x": 6, "y": 6, "w": 198, "h": 136, "stroke": 0.8, "color": "#8b1a1a"},
        {
            "kind": "text",
            "x": 20,
            "y": 14,
            "w": 170,
            "h": 16,
            "text": "食品经营许可证",
            "size": 28,
            "align": "center",
            "bold": True,
        },
        {"kind": "text", "x": 20, "y": 40, "w": 30, "h": 8, "text": "经营者名称", "size": 12},
        {"kind": "item", "x": 55, "y": 40, "w": 130, "h": 8, "item": "license.holder_names", "size": 12},
        {"kind": "text", "x": 20, "y": 52, "w": 30, "h": 8, "text": "经营场所", "size": 12},
        {"kind": "item", "x": 55, "y": 52, "w": 130, "h": 12, "item": "premises", "size": 12},
        {"kind": "rule", "x": 20, "y": 70, "w": 170, "h": 0, "stroke": 0.2},
        {"kind": "item", "x": 20, "y": 74, "w": 170, "h": 6, "item": "license.identifier", "size": 8},
        {"kind": "item", "x": 110, "y": 120, "w": 40, "h": 8, "item": "license.issued_on", "size": 11, "align": "right"},
        {"kind": "qr", "x": 20, "y": 92, "w": 40, "h": 40},
        {"kind": "seal", "x": 140, "y": 94, "w": 40, "h": 40},
    ],
}
TYPE_CODE = "11100000MB03271699900"
_numbers = count(1)


def make_type(department: Department, **values: Any) -> TypeVersion:
    """Return a type in force, laid out."""
    defaults: dict[str, Any] = {
        "code": TYPE_CODE,
        "name": "食品经营许可证",
        "defining_body": "国家市场监督管理总局",
        "defining_body_code": TYPE_CODE[:18],
        "department": department,
        "holder_kind": HolderKind.LEGAL_ENTITY,
        "validity_kind": ValidityKind.STATED,
        "rulebook": RULEBOOK,
        "layout": LAYOUT,
        "state": TypeState.PUBLISHED,
        "effective": DateRange(date(2026, 1, 1), None),
    }
    return TypeVersion.objects.create(**defaults | values)


def make_license(version: TypeVersion, issuer: Department, now: datetime, **values: Any) -> License:
    """Return a license in force with one holder, signed with the key in force."""
    keys.prepare(now=now)
    number = next(_numbers)
    holder = values.pop("holder_name", "南京玄武示例面馆有限公司")
    serial = f"2026{number:08d}"
    defaults: dict[str, Any] = {
        "type_version": version,
        "type_code": version.code,
        "issuer": issuer,
        "issuer_code": issuer.code,
        "issuer_name": issuer.name,
        "serial": serial,
        "identifier": numbering.compose(version.code, "11320100MB0000000X", serial, 1),
        "number": f"JY{number:012d}",
        "region_code": "320102",
        "face": {"premises": "南京市玄武区太平北路 1 号", "scope": "热食类食品制售"},
        "issued_on": date(2026, 1, 15),
        "valid_from": date(2026, 1, 15),
        "valid_to": date(2031, 1, 14),
        "issued_at": now,
    }
    license = License(**defaults | values)
    one = LicenseHolder(
        license=license, ordinal=1, name=holder, code="91990101MA0000000X", code_type="001", subject_key=number.to_bytes(16, "big")
    )
    signed = canonical(data_of(license, [one]))
    license.digest = sm3(signed)
    license.signature, license.key = keys.sign(KeyPurpose.DATA, signed)
    license.save()
    one.license = license
    one.save()
    license.refresh_from_db()
    return license
