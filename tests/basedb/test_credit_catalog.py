"""Versions of the catalogue of public credit information: files read strictly, versions that follow each other."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from basedb.credit import shipped
from basedb.credit.catalog import load_version, read_file
from basedb.models import CreditCatalogItem, CreditCatalogVersion
from core.errors import Conflict, Forbidden, Invalid
from tests.factories import City

ITEM = {"code": "0202", "name": "行政处罚信息", "dataset": "credit.penalty", "basis": "《中华人民共和国行政处罚法》第四十八条"}


def content(**changes: Any) -> bytes:
    given = {"code": "2026", "title": "目录(2026年版)", "issued_by": "某部门", "effective_from": "2026-01-01", "items": [ITEM]}
    return json.dumps(given | changes, ensure_ascii=False).encode()


def test_new_version_ends_the_one_before_on_its_first_day(city: City, now: datetime) -> None:
    shipped.load_catalog(apps)
    load_version(content=content(), actor=city.actor("reviewer"), now=now)
    old, new = CreditCatalogVersion.objects.order_by("effective")
    assert old.effective.upper == new.effective.lower == date(2026, 1, 1)
    assert new.effective.upper is None
    assert [item.code for item in new.items.all()] == ["0202"]
    for again in (content(), content(code="2026a"), content(code="2025", effective_from="2025-06-01")):
        with pytest.raises(Conflict):
            load_version(content=again, actor=city.actor("reviewer"), now=now)
    assert CreditCatalogVersion.objects.count() == 2


def test_only_the_window_loads_a_version(city: City, now: datetime) -> None:
    for who in ("market_head", "auditor", "system_admin"):
        with pytest.raises(Forbidden):
            load_version(content=content(), actor=city.actor(who), now=now)
    assert not CreditCatalogItem.objects.filter(version__code="2026").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        b"\xff\xfe",
        b"[]",
        b"{}",
        content(effective_from="2026"),
        content(items=[]),
        content(items=[ITEM, ITEM]),
        content(items=[ITEM | {"dataset": "population.person"}]),
        content(items=[ITEM | {"more": "x"}]),
        content(items=["x"]),
        content(items=[ITEM | {"name": ""}]),
        content(items=[ITEM | {"basis": None}]),
        content(items=[ITEM | {"code": "xk-01"}]),
        content(title=None),
        content(title="目录\x00"),
        content().replace("某部门".encode(), rb"\ud800"),
        b"[" * 100_000,
        content(code="x" * 41),
        b" " * (2 * 1024 * 1024 + 1),
    ],
)
def test_file_that_is_no_catalogue_is_refused(wrong: bytes) -> None:
    with pytest.raises(Invalid):
        read_file(wrong)


def test_command_loads_a_version_and_says_what_is_wrong(db: None, tmp_path: Path) -> None:
    shipped.load_catalog(apps)
    file = tmp_path / "catalog.json"
    file.write_bytes(content())
    call_command("load_credit_catalog", str(file))
    assert CreditCatalogVersion.objects.filter(code="2026").exists()
    with pytest.raises(CommandError):
        call_command("load_credit_catalog", str(file))
    with pytest.raises(CommandError):
        call_command("load_credit_catalog", str(tmp_path / "none.json"))
