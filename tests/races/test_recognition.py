"""Nodes deliver at the same moment, one of them twice; two clerks report the same missing license at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from basedb.models import License as CityLicense
from licenses.models import InBatch, MissingReport
from licenses.recognition import delivering, receiving
from tests.factories import City
from tests.licenses.missing import issued_by_police, missing_report
from tests.licenses.nodes import license_data, own_keys, row, simulated, trusted
from tests.races.test_decisions import at_once, town

__all__ = ["own_keys", "town"]


def taking(envelope: dict[str, str], now: datetime) -> Callable[[], Any]:
    return lambda: receiving.receive(envelope=envelope, client_ip=None, now=now)


@pytest.mark.django_db(transaction=True)
def test_two_nodes_at_once_and_the_same_batch_three_times_are_taken_once_each(town: City, own_keys: None, now: datetime) -> None:
    one, other = simulated("320102"), simulated("320104")
    for node in (one, other):
        trusted(town, node, now)
    rows = {node.code: [row(license_data(region=node.code)) for _ in range(5)] for node in (one, other)}
    first, second = one.batch(rows[one.code]), other.batch(rows[other.code])
    results = at_once(*(taking(envelope, now) for envelope in (first, second, first, first)))
    told = [json.loads(result["content"]) for result in results]
    assert [line["accepted"] for line in told] == [5, 5, 5, 5]
    assert results[0] == results[2] == results[3]
    assert InBatch.objects.count() == 2
    assert sum(at_once(*(lambda: delivering.deliver_due(now=now) for _ in range(2)))) == 2
    assert CityLicense.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_two_reports_of_one_license_at_once_become_one_and_one_that_joined(town: City, now: datetime) -> None:
    issued_by_police(town)
    actors = [town.actor("education_operator"), town.actor("market_operator")]
    results = at_once(*(lambda a=a: missing_report(town, now, actor=a) for a in actors))
    assert sorted(result.state for result in results) == ["JOINED", "REPORTED"], results
    assert MissingReport.objects.count() == 2
