"""A small city whose rows are committed: calls read on connections of their own, in the role of the web process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from basedb.models import Person
from catalog.models import Resource
from exchange.calls import admission, answering, connections, quota, registry
from exchange.calls.attempts import RecordLimit
from exchange.models import Grant
from tests import emptying, factories
from tests.hotpath import partner as partners
from tests.hotpath.partner import Partner


@dataclass
class Scene:
    """The cast of the hot path."""

    city: factories.City
    resource: Resource
    partner: Partner
    people: list[Person]

    def grant(self, **values: Any) -> Grant:
        return partners.grant_to(self.partner, self.resource, self.city, **values)


class WebSettings:
    """The settings as the web process has them: another role of the database, everything else the same."""

    def __init__(self, password: str) -> None:
        self._role = {"USER": "web", "PASSWORD": password}

    @property
    def DATABASES(self) -> dict[str, Any]:  # noqa: N802
        return {"default": settings.DATABASES["default"] | self._role}

    def __getattr__(self, name: str) -> Any:
        return getattr(settings, name)


def password_of(role: str) -> str:
    """Return the password of a database role."""
    return str(json.loads(settings.ROLES_FILE.read_text())[role])


def forget_counters() -> None:
    """Take away everything Redis knows of the calls of this database."""
    client = admission.client()
    for name in client.scan_iter(admission.key_of("*", "*")):
        client.delete(name)


@pytest.fixture(scope="module")
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Instead of a transaction rolled back: a module's rows are committed, and taken away at its end."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            connections.close()
            emptying.empty_tables()
            connection.close()


@pytest.fixture(scope="module")
def scene(db: None) -> Scene:
    """One resource on the population table, two people in two districts, one partner system."""
    city = factories.make_city()
    people = [
        partners.make_person(city.police, 11),
        partners.make_person(city.police, 13, name="李四", region_code="320104001", address=None),
    ]
    return Scene(city, factories.make_resource(city.police), partners.make_partner(city.education), people)


@pytest.fixture(autouse=True)
def web_role(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every call of these tests runs in the role of the web process, on counters and memories that are fresh."""
    monkeypatch.setattr(connections, "settings", WebSettings(password_of("web")))
    connections.close()
    forget_counters()
    quota.rebuild()
    registry.callers.forget()
    registry.grants.forget()
    monkeypatch.setattr(answering, "record_limit", RecordLimit())
    yield
    connections.close()
    admission.close()
