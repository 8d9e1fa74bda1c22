"""Builders of license types: a small rulebook with a layout, drafts and published types of the police bureau."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from core.models import Department
from licenses.models import TypeUse, TypeVersion
from licenses.types import publishing, uses
from licenses.types.facts import TypeFacts
from licenses.types.load_file import shipped_rows
from licenses.types.loading import Outcome, load_rows
from licenses.types.publishing import today
from tests.factories import City

BODY = "11990000MB0000000X"
_numbers = count(101)  # those a test names itself come before

ITEMS: list[dict[str, Any]] = [
    {"name": "name", "title": "姓名", "length": 50, "required": True, "mask": "NAME", "source": "population.person.name"},
    {"name": "sex", "title": "性别", "kind": "CODE", "codes": "sex"},
    {"name": "level", "title": "等级", "kind": "CODE", "choices": [["1", "一级"], ["2", "二级"]], "required": True},
    {"name": "issued_first_on", "title": "初领日期", "kind": "DATE"},
    {"name": "fee", "title": "费用", "kind": "AMOUNT", "length": 12},
    {"name": "area", "title": "面积", "kind": "NUMBER", "length": 12},
]
LAYOUT: dict[str, Any] = {
    "width": 100,
    "height": 140,
    "elements": [
        {"kind": "text", "x": 10, "y": 10, "w": 80, "h": 10, "text": "试验证", "size": 16, "align": "center"},
        {"kind": "item", "x": 10, "y": 30, "w": 60, "h": 8, "item": "name"},
        {"kind": "item", "x": 10, "y": 40, "w": 60, "h": 8, "item": "level"},
        {"kind": "rule", "x": 10, "y": 60, "w": 80, "h": 0, "stroke": 0.3},
        {"kind": "qr", "x": 10, "y": 100, "w": 25, "h": 25},
        {"kind": "seal", "x": 60, "y": 95, "w": 30, "h": 30},
    ],
}
Json = Mapping[str, Any]


def some_facts(**values: Any) -> TypeFacts:
    """Return facts of a type with a code of its own."""
    given: dict[str, Any] = {
        "code": f"{BODY}{next(_numbers):03d}",
        "name": "试验操作证",
        "defining_body": "试验部",
        "defining_body_code": BODY,
        "holder_kind": "PERSON",
        "validity_kind": "MONTHS",
        "validity_months": 72,
    }
    return TypeFacts(**given | values)


def draft_type(city: City, now: datetime, **values: Any) -> TypeVersion:
    """Return a whole draft of the police operator."""
    rulebook, layout = values.pop("rulebook", ITEMS), values.pop("layout", LAYOUT)
    return publishing.draft(
        facts=some_facts(**values), rulebook=rulebook, layout=layout, actor=city.actor("police_operator"), now=now
    )  # fmt: skip


def submitted_type(city: City, now: datetime, **values: Any) -> TypeVersion:
    """Return a draft at the head's desk."""
    made = draft_type(city, now, **values)
    return publishing.submit(uid=made.uid, revision=made.revision, actor=city.actor("police_operator"), now=now)


def published(city: City, version: TypeVersion, now: datetime, first_day: date | None = None) -> TypeVersion:
    """Return a submitted version after its publication by the police head."""
    return publishing.publish(
        uid=version.uid,
        revision=version.revision,
        effective_from=first_day or today(now),
        actor=city.actor("police_head"),
        now=now,
    )


def published_type(city: City, now: datetime, **values: Any) -> TypeVersion:
    """Return a published type of the police bureau."""
    return published(city, submitted_type(city, now, **values), now)


def next_version(city: City, code: str, now: datetime, days: int = 1) -> TypeVersion:
    """Publish a next version with one more item, in force some days from now; return it."""
    actor = city.actor("police_operator")
    made = publishing.open_next(code=code, actor=actor, now=now)
    more = [*made.rulebook, {"name": f"note{made.number}", "title": f"备注{made.number}"}]
    made = publishing.revise(uid=made.uid, revision=made.revision, rulebook=more, actor=actor, now=now)
    made = publishing.submit(uid=made.uid, revision=made.revision, actor=actor, now=now)
    return published(city, made, now, today(now) + timedelta(days=days))


def proposed_use(city: City, version: TypeVersion, now: datetime, **values: Any) -> TypeUse:
    """Return a line the police operator proposed."""
    given: dict[str, Any] = {
        "matter": "资格核验",
        "purpose": "核对持证人",
        "basis": "《试验条例》第一条",
        "items": ("name", "level"),
    }
    terms = uses.UseTerms(**given | values)
    return uses.propose(type_code=version.code, terms=terms, actor=city.actor("police_operator"), now=now)


def load_shipped(department: Department, now: datetime) -> Outcome:
    """Load the types the platform is shipped with."""
    return load_rows(rows=shipped_rows(), department=department, now=now, keepers={})
