"""Aggregation of the police bureau and backflow to it: its own people and the reviewer see them, for others they do not exist."""

from __future__ import annotations

from django.utils import timezone

from core.audit import PLATFORM
from exchange.backflow import subscriptions
from exchange.models import AggregationRun, PlanDraft, RejectedRow, SchemaChange
from tests.exchange.aggregation_sources import csv_plan
from tests.factories import City
from tests.house.table import Row, only

BUSINESS = ("operator", "head", "reviewer")


def own(status: int, *, reviewer: int | None = None) -> dict[str, int]:
    """`status` for the people of the department and the reviewer; pages are for business roles."""
    return only(status, *BUSINESS) | ({"reviewer": reviewer} if reviewer else {})


def told(status: int) -> dict[str, int]:
    """The same below /openapi/."""
    return only(status, *BUSINESS, anonymous=401)


DRAFTERS = only(404, "operator", "head", "reviewer")

ROWS: list[Row] = [
    ("GET", "portal:plan-list", {}, own(200)),
    ("GET", "portal:plan-detail", {"uid": "plan"}, own(200)),
    ("GET", "portal:plan-new", {}, only(200, "operator", "reviewer")),
    ("POST", "portal:plan-new", {}, only(422, "operator", "reviewer")),
    *[
        ("GET", f"portal:plan-draft{step}", {"uid": "draft"}, DRAFTERS | {"operator": 200, "reviewer": 200})
        for step in ("", "-mapping", "-schedule", "-catalog")
    ],
    ("POST", "portal:plan-draft", {"uid": "draft"}, DRAFTERS | {"operator": 422, "reviewer": 422}),
    ("POST", "portal:plan-draft-mapping", {"uid": "draft"}, DRAFTERS | {"operator": 200, "reviewer": 200}),
    ("POST", "portal:plan-draft-schedule", {"uid": "draft"}, DRAFTERS | {"operator": 422, "reviewer": 422}),
    ("POST", "portal:plan-draft-catalog", {"uid": "draft"}, DRAFTERS | {"operator": 422, "reviewer": 422}),
    ("GET", "portal:plan-edit", {"uid": "plan"}, own(200) | {"head": 403}),
    ("POST", "portal:plan-edit", {"uid": "plan"}, own(422) | {"head": 403}),
    ("POST", "portal:plan-check", {"uid": "plan"}, own(200)),
    ("POST", "portal:plan-switch", {"uid": "plan"}, own(302) | {"head": 403}),
    ("POST", "portal:plan-start-over", {"uid": "plan"}, own(302) | {"head": 403}),
    ("POST", "portal:plan-change", {"uid": "change"}, own(302) | {"head": 403}),
    ("POST", "openapi:plan-list", {}, told(422)),
    ("POST", "openapi:plan-check", {"uid": "plan"}, told(200)),
    ("POST", "openapi:plan-entries", {"uid": "plan"}, told(422)),
    ("POST", "portal:plan-start", {"uid": "plan"}, own(302)),
    ("GET", "portal:plan-run", {"uid": "run"}, own(200)),
    ("GET", "portal:plan-run-progress", {"uid": "run"}, own(200)),
    ("GET", "portal:plan-rejects", {"uid": "plan"}, own(200)),
    ("GET", "portal:plan-rejects-download", {"uid": "plan"}, own(200)),
    ("POST", "portal:plan-rejects-upload", {"uid": "plan"}, own(422)),
    ("POST", "portal:plan-rejects-replay", {"uid": "plan"}, own(409)),
    ("POST", "portal:plan-rejects-dismiss", {"uid": "plan"}, own(422)),
    ("GET", "portal:plan-reject", {"uid": "reject"}, own(200)),
    ("POST", "portal:plan-reject", {"uid": "reject"}, own(422)),
    ("GET", "portal:backflow-list", {}, own(200)),
    ("GET", "portal:backflow-new", {}, only(200, "reviewer")),
    ("POST", "portal:backflow-new", {}, only(422, "reviewer")),
    ("GET", "portal:backflow-detail", {"uid": "subscription"}, own(200)),
    ("POST", "portal:backflow-state", {"uid": "subscription"}, own(422)),
    ("POST", "portal:backflow-start-over", {"uid": "subscription"}, own(403, reviewer=302)),
    ("GET", "openapi:plan-list", {}, told(200)),
    ("GET", "openapi:plan-runs", {"uid": "plan"}, told(200)),
    ("POST", "openapi:plan-runs", {"uid": "plan"}, told(201)),
    ("GET", "openapi:plan-run", {"uid": "run"}, told(200)),
]


def things(city: City) -> dict[str, str]:
    """Return a plan with a finished run and a rejected row, and a subscription of the same bureau."""
    now = timezone.now()
    plan = csv_plan(city.police, now)
    run = AggregationRun.objects.create(plan=plan, state="SUCCEEDED", queued_at=now, finished_at=now)
    reject = RejectedRow.objects.create(plan=plan, run=run, rule="name.required", field="name", raw={"name": ""})
    subscription = subscriptions.create_subscription(
        title="玄武区人口回流",
        department=city.police,
        region=city.districts["320102"],
        dataset="population.person",
        fields=["name"],
        settings={"host": "127.0.0.1", "port": 5432, "database": "district", "user": "district", "table": "people"},
        password="x",
        actor=PLATFORM,
        now=now,
    )
    draft = PlanDraft.objects.create(
        title="草稿", department=city.police, dataset="population.person", connector="CSV_DROP",
        settings={"folder": "police"}, created_by=city.people["police_operator"],
    )  # fmt: skip
    change = SchemaChange.objects.create(plan=plan, column="LXDH", found_at=now)
    uids = {"plan": plan, "draft": draft, "change": change, "run": run, "reject": reject, "subscription": subscription}
    return {name: str(thing.uid) for name, thing in uids.items()}
