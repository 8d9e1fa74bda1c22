"""Sensitive resources are not served while records wait too long for their seal; it costs the call no round trip."""

from __future__ import annotations

from typing import Any

from catalog.models import Resource
from exchange.calls import registry
from tests.hotpath.records import outcomes_of
from tests.hotpath.scene import Scene
from tests.hotpath.test_refusals import check_refused


def test_lag_past_the_limit_refuses_grades_l3_and_l4_only(scene: Scene, settings: Any) -> None:
    grant = scene.grant()
    citizen_id = scene.people[0].citizen_id
    assert scene.partner.query(grant, citizen_id).status == 200
    settings.SEAL_LAG_LIMIT_SECONDS = 0  # the record just written has no seal
    registry.grants.forget()
    check_refused(scene.partner.query(grant, citizen_id), "platform.unsealed")
    assert outcomes_of(grant) == ["call.answered", "platform.unsealed"]
    Resource.objects.filter(pk=scene.resource.pk).update(grade="L2")
    registry.grants.forget()
    assert scene.partner.query(grant, citizen_id).status == 200
    Resource.objects.filter(pk=scene.resource.pk).update(grade="L3")
    settings.SEAL_LAG_LIMIT_SECONDS = 14_400
    registry.grants.forget()
    assert scene.partner.query(grant, citizen_id).status == 200
