"""The permission table: every route of both doors, every kind of person, the expected answer. See the README beside."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.factories import City
from tests.house import permission_table
from tests.house.routes import all_routes
from tests.house.table import KINDS, Row

PEOPLE = {
    "operator": "police_operator",
    "head": "police_head",
    "reviewer": "reviewer",
    "auditor": "auditor",
    "system_admin": "system_admin",
    "security_admin": "security_admin",
}
SUBJECTS: list[ModuleType] = [
    import_module(f"{permission_table.__name__}.{module.name}") for module in pkgutil.iter_modules(permission_table.__path__)
]
ALL: list[tuple[ModuleType, Row]] = [(subject, row) for subject in SUBJECTS for row in subject.ROWS]


def label(row: Any) -> str:
    return f"{row[0]} {row[1]}" if isinstance(row, tuple) else ""


def test_every_route_stands_in_the_table() -> None:
    listed = {(method, name) for _, (method, name, _, _) in ALL}
    assert sorted(all_routes() - listed) == [], "routes without a row in tests/house/permission_table/"
    assert sorted(listed - all_routes()) == [], "rows of routes that do not exist"


def test_every_row_speaks_of_every_kind_of_person() -> None:
    for _, (method, name, _, expected) in ALL:
        assert set(expected) == {"anonymous", *KINDS}, f"{method} {name}"


@pytest.mark.parametrize(("subject", "row"), ALL, ids=label)
def test_everybody_gets_what_the_table_says(subject: ModuleType, row: Row, city: City) -> None:
    method, name, arguments, expected = row
    things = subject.things(city) if hasattr(subject, "things") else {}
    address = reverse(name, kwargs={key: things.get(value, value) for key, value in arguments.items()})
    got = {kind: answer(city, kind, method, address) for kind in expected}
    assert got == expected


def answer(city: City, kind: str, method: str, address: str) -> int:
    """Return the status one kind of person gets; what the request changed is rolled back."""
    client = Client(raise_request_exception=True)
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # lets durable rules run inside, as in a TestCase
    with block:
        if kind != "anonymous":
            client.force_login(city.people[PEOPLE[kind]], backend="django.contrib.auth.backends.ModelBackend")
        body = (
            {"data": {}, "content_type": "application/json"}
            if address.startswith("/openapi/") and method != "GET"
            else {"data": {"csrfmiddlewaretoken": "-"}}
            if method == "POST"
            else {}
        )
        response = getattr(client, method.lower())(address, **body)
        if response.streaming:
            for _ in response.streaming_content:
                pass
        transaction.set_rollback(True)
    return int(response.status_code)
