"""Pairs of matching, and deciding them."""

from __future__ import annotations

from django.utils import timezone

from basedb.models import DataSource, MatchCandidate
from tests.factories import City
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor", "security_admin")

ROWS: list[Row] = [
    ("GET", "portal:matching-list", {}, only(200, *SEERS)),
    ("GET", "portal:matching-detail", {"uid": "candidate"}, only(200, *SEERS)),
    ("POST", "portal:matching-detail", {"uid": "candidate"}, only(422, *SEERS)),
    ("GET", "openapi:match-candidate-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:match-candidate-decide", {"uid": "candidate"}, only(422, *SEERS, anonymous=401)),
]


def things(city: City) -> dict[str, str]:
    """Return a pair of a source of the police."""
    source = DataSource.objects.create(
        code="matching", title="来访登记", dataset="population.person", department=city.police, collector="PUBLIC_SECURITY"
    )
    candidate = MatchCandidate.objects.create(
        dataset=source.dataset, source=source, chain=1, record_id=1, entity_key=bytes(16), tier="PROBABLE", score="0.9",
        model_version="test", basis=bytes(16), found_at=timezone.now(),
        why=[{"comparison": "name", "level": "exact", "weight": 9.0}],
    )  # fmt: skip
    return {"candidate": str(candidate.uid)}
