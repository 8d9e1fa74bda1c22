"""Sealed files: a license the police issued, and a copy of it."""

from __future__ import annotations

from django.utils import timezone

from core.accounts import actor_of
from licenses.sealing import copies
from tests.factories import City
from tests.house.table import Row, everyone, only
from tests.licenses.sealed import make_license, make_type

BUSINESS = ("operator", "head", "reviewer")
LICENSE = {"uid": "license"}

ROWS: list[Row] = [
    ("GET", "portal:license-files", LICENSE, only(200, *BUSINESS)),
    ("POST", "portal:license-files", LICENSE, only(422, *BUSINESS)),
    ("GET", "portal:license-file-preview", LICENSE, only(200, *BUSINESS)),
    ("GET", "portal:license-file", {**LICENSE, "kind": "kind"}, only(200, *BUSINESS)),
    ("GET", "portal:license-copy", {"token": "token"}, everyone(200)),
    ("POST", "portal:license-copy", {"token": "token"}, everyone(200)),
    ("GET", "openapi:license-file-pdf", LICENSE, only(200, *BUSINESS, anonymous=401)),
    ("GET", "openapi:license-file-ofd", LICENSE, only(200, *BUSINESS, anonymous=401)),
    ("GET", "openapi:license-copies", LICENSE, only(200, *BUSINESS, anonymous=401)),
    ("POST", "openapi:license-copies", LICENSE, only(422, *BUSINESS, anonymous=401)),
]


def things(city: City) -> dict[str, str]:
    """Return a license of the police and the link of a copy of it."""
    now = timezone.now()
    license = make_license(make_type(city.police), city.police, now)
    operator = actor_of(city.people["police_operator"])
    copy = copies.make(license=license, purpose="归档", receiver="档案馆", days=3, actor=operator, now=now)
    return {"license": str(license.uid), "kind": "pdf", "token": copies.token_of(copy)}
