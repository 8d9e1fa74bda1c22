"""Dossiers: reviewers, and departments that deliver (here the police); an unknown handle is not found."""

from __future__ import annotations

from basedb.models import DataSource
from tests.factories import City
from tests.house.table import Row, only

BUSINESS = ("operator", "head", "reviewer")


def things(city: City) -> dict[str, str]:
    """The police bureau delivers; the handle is nobody's, the names are of the contract."""
    DataSource.objects.get_or_create(
        code="police", title="户籍", dataset="population.person", department=city.police, collector="PUBLIC_SECURITY"
    )
    return {"handle": "00000000-0000-4000-8000-000000000000", "field": "phone", "facts": "population.residence"}


ROWS: list[Row] = [
    ("GET", "portal:dossier", {}, only(200, *BUSINESS)),
    ("POST", "portal:dossier", {}, only(422, *BUSINESS)),
    ("GET", "portal:dossier-detail", {"handle": "handle"}, only(404, *BUSINESS)),
    ("POST", "portal:dossier-related", {"handle": "handle"}, only(404, *BUSINESS)),
    ("GET", "portal:dossier-history", {"handle": "handle", "name": "field"}, only(404, *BUSINESS)),
    ("GET", "portal:dossier-section", {"handle": "handle", "dataset": "facts"}, only(404, *BUSINESS)),
    ("POST", "openapi:dossier-read", {}, only(422, *BUSINESS, anonymous=401)),
]
