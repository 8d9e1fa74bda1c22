"""Conflicts, rules of authority, decisions about entities."""

from __future__ import annotations

from django.utils import timezone

from basedb.models import FusionConflict, FusionDecision
from tests.basedb.fusion.world import make_world, person
from tests.factories import City
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor", "security_admin")

ROWS: list[Row] = [
    ("GET", "portal:conflict-list", {}, only(200, *SEERS)),
    ("GET", "portal:conflict-detail", {"uid": "conflict"}, only(200, *SEERS)),
    ("POST", "portal:conflict-detail", {"uid": "conflict"}, only(422, *SEERS)),
    ("GET", "portal:authority-rule-list", {}, only(200, *SEERS)),
    ("GET", "portal:authority-rule-new", {}, only(200, "reviewer", "security_admin")),
    ("POST", "portal:authority-rule-new", {}, only(422, "reviewer", "security_admin")),
    ("GET", "portal:fusion-decision-list", {}, only(200, *SEERS)),
    ("GET", "portal:fusion-decision-new", {}, only(200, "operator", "reviewer")),
    ("POST", "portal:fusion-decision-new", {}, only(422, "operator", "reviewer")),
    ("GET", "portal:fusion-record", {"chain": "chain"}, only(200, "operator", "reviewer")),
    ("POST", "portal:fusion-record", {"chain": "chain"}, only(422, "operator", "reviewer")),
    ("POST", "portal:fusion-decision-decide", {"uid": "decision"}, only(302, "reviewer")),
    ("GET", "openapi:fusion-conflict-list", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:fusion-conflict-answer", {"uid": "conflict"}, only(422, *SEERS, anonymous=401)),
]


def things(city: City) -> dict[str, str]:
    """Return a conflict of the police, a proposal and a record of theirs."""
    now = timezone.now()
    conflict = FusionConflict.objects.create(
        dataset="population.person",
        entity_key=bytes(16),
        kind="VALUE",
        field="address",
        records=[1, 2],
        owner=city.police,
        due_at=now,
    )
    decision = FusionDecision.objects.create(
        kind="HOLD", dataset="population.person", chain=1, reason="待核实", proposed_by=city.people["police_operator"],
        proposed_at=now, due_at=now,
    )  # fmt: skip
    world = make_world(city, now)
    chain = world.deliver("police", "a", 1, person(1))
    world.project(run_id=1)
    return {"conflict": str(conflict.uid), "decision": str(decision.uid), "chain": str(chain)}
