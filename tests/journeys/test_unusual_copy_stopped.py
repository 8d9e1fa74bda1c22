"""Policy: an unusual copy at night is seen and stopped with one click."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.calendar import SHANGHAI
from core.models import Notification
from exchange.care import alerts
from exchange.models import Alert, CallStatistic, Grain
from tests.hotpath.scene import Scene, db, scene, web_role
from tests.hotpath.test_statistics import fold_everything

__all__ = ["db", "scene", "web_role"]


def test_a_copy_at_night_is_seen_and_stopped_with_one_click(scene: Scene, settings: Any, client: Client) -> None:
    settings.ALERT_THRESHOLDS = settings.ALERT_THRESHOLDS | {"night_bulk_rows": 5}
    grant = scene.grant(mode="BULK", fields=["name", "sex"])
    for _copy in range(3):
        assert scene.partner.call(grant, "bulk", {}).status == 200
    fold_everything()
    night = datetime.combine(timezone.localdate(), time(2), tzinfo=SHANGHAI)
    CallStatistic.objects.filter(grain=Grain.HOUR).update(starts_at=night)  # as if the copies had been made at two in the morning

    assert alerts.look_out(now=night + timedelta(minutes=30)) == 1
    alert = Alert.objects.get()
    assert (alert.kind, alert.measure, alert.grant) == ("NIGHT_BULK", 6, grant)
    path = f"/alerts/{alert.uid}/"
    assert set(Notification.objects.filter(path=path).values_list("user__username", flat=True)) == {"police_head", "reviewer"}

    client.force_login(scene.city.people["police_head"])
    page = client.get(path).content.decode()
    assert "立即暂停授权" in page
    assert client.post(f"{path}handle/", {"action": "suspend"}).status_code == 302
    reply = scene.partner.call(grant, "bulk", {})
    assert (reply.status, reply.code) == (403, "grant.suspended")
    grant.refresh_from_db()
    assert (grant.state, grant.suspension_ground) == ("SUSPENDED", "MISUSE")
    assert grant.put_right_by is not None
    assert client.post(f"{path}handle/", {"action": "suspend"}).status_code == 409


@pytest.mark.parametrize("person", ["education_head", "education_operator"])
def test_who_copies_is_not_told(scene: Scene, client: Client, person: str) -> None:
    client.force_login(scene.city.people[person])
    assert client.get(f"/alerts/{Alert.objects.get().uid}/").status_code == 404
    assert "NIGHT_BULK" not in client.get("/openapi/v1/alerts").content.decode()
