"""Licenses handed in by a system with a signature over the body, and issued in the role of a worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.test import Client

from basedb.models import License as CityLicense
from licenses import delivering
from licenses.issuing import batch_work, batches, signing
from licenses.issuing.workflow import BatchCommand
from licenses.models import IssuingBatch, License
from tests.hotpath.jobs import wait_for_horizon
from tests.hotpath.scene import Scene, password_of
from tests.licenses.issuing_scene import card_type, make_person, values_of

PATH = "/openapi/v1/licenses/batches"


@contextmanager
def as_worker() -> Iterator[None]:
    before = connection.settings_dict
    connection.close()
    connection.settings_dict = before | {"USER": "worker", "PASSWORD": password_of("worker")}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before


def test_a_system_hands_in_and_a_worker_issues_signs_and_delivers(scene: Scene, now: datetime) -> None:
    city, partner = scene.city, scene.partner
    version = card_type(city, department=city.education)
    row = values_of(make_person(city.police), number="HOT1")
    raw = json.dumps({"type_code": version.code, "rows": [row]}).encode()

    def send(content: bytes, **more: str) -> Any:
        return Client().post(PATH, content, content_type="application/json", headers=partner.headers(PATH, raw) | more)

    assert send(raw).json()["code"] == "request.idempotency_key_invalid"
    assert send(raw + b" ", **{"Idempotency-Key": "s1"}).json()["code"] == "auth.bad_digest"
    answer = send(raw, **{"Idempotency-Key": "s1"})
    assert answer.status_code == 201, answer.json()
    assert send(raw, **{"Idempotency-Key": "s1"}).json()["uid"] == answer.json()["uid"]
    batch = IssuingBatch.objects.get()
    assert (batch.system_id, batch.made_by_id, batch.made_by_name) == (partner.system.pk, None, partner.system.name)
    path = f"{PATH}/{batch.uid}/rows"
    read = Client().get(path, headers=partner.headers(path, b"", method="GET"))
    assert [one["row_state"] for one in read.json()["items"]] == ["WAITING"]
    with as_worker():
        batch_work.work(batch_uid=batch.uid, clock=lambda: now)
    batch.refresh_from_db()
    signer = city.actor("education_head")
    batches.advance(uid=batch.uid, revision=batch.revision, command=BatchCommand.SIGN, actor=signer, now=now)
    with as_worker():
        batch_work.work(batch_uid=batch.uid, clock=lambda: now)
        assert signing.sign_pending(until=now + timedelta(days=1), clock=lambda: now) == 1
    wait_for_horizon()
    with as_worker():
        assert delivering.deliver(now=now) == 1
        assert delivering.deliver(now=now) == 0
    license = License.objects.get()
    assert license.signature is not None
    assert CityLicense.objects.get(number="HOT1").identifier == license.identifier
