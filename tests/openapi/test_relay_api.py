"""Reporting a request upward over REST: once a key, and with every receipt in the answer."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from exchange.models import UpstreamReceipt
from tests import factories
from tests.exchange.test_upstream import authorize
from tests.factories import City


@pytest.mark.django_db(transaction=True)
def test_a_report_repeated_under_its_key_is_made_once_and_receipts_follow(city: City, client: Client, now: datetime) -> None:
    client.force_login(city.people["reviewer"], backend="django.contrib.auth.backends.ModelBackend")
    resource = factories.make_resource(city.police)
    authorize(city, resource, now)
    values = {"state": "CLEARED", "desk": "DATA_CENTRE", "route": "PROVIDER_FIRST"}
    made = factories.make_request(resource, factories.make_system(city.education), city.people["education_operator"], **values)
    place = f"/openapi/v1/access-requests/{made.uid}"

    def post(path: str, body: dict[str, Any], key: str) -> Any:
        headers = {"Idempotency-Key": key}
        return client.post(f"{place}/{path}", json.dumps(body), content_type="application/json", headers=headers)

    assert [post("relay", {"document_number": "宁数函8号"}, "k-1").status_code for _ in range(2)] == [201, 200]
    answer = post("receipts", {"state": 5, "document_number": "部复9号", "external_id": "UP-9"}, "k-2")
    assert answer.status_code == 201, answer.json()
    assert [receipt["state"] for receipt in answer.json()["receipts"]] == [1, 5]
    assert client.get(f"{place}/relay").json()["external_id"] == "UP-9"
    assert UpstreamReceipt.objects.count() == 2
