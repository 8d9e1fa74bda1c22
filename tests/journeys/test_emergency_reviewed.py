"""Policy: whoever breaks the glass gets in at once, for hours, and answers for it afterwards."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from core.ids import uuid7
from exchange.care.liabilities import Ground, liabilities
from exchange.models import BreakGlass, Grant
from tests.hotpath.records import outcomes_of
from tests.hotpath.scene import Scene, db, scene, web_role

__all__ = ["db", "scene", "web_role"]


def test_break_glass_is_reviewed_afterwards(scene: Scene, settings: Any, client: Client) -> None:
    settings.BREAK_GLASS_ALLOWED = True
    people = scene.city.people
    address = f"/catalog/{scene.resource.uid}/emergency/"
    form = {
        "submission": uuid7().hex,
        "system": str(scene.partner.system.uid),
        "mode": "QUERY",
        "fields_": ["name", "sex"],
        "incident_number": "汛-2026-07",
        "reason": "转移安置，须立即核对学生身份",
        "hours": "2",
    }
    client.force_login(people["education_head"])
    assert "应急理由" in client.get(address).content.decode()
    opened = client.post(address, form)
    assert client.post(address, form)["Location"] == opened["Location"]
    emergency = BreakGlass.objects.get()
    assert opened["Location"] == f"/break-glass/{emergency.uid}/"

    grant, person = emergency.grant, scene.people[0]
    assert scene.partner.query(grant, person.citizen_id).status == 200
    Grant.objects.filter(pk=grant.pk).update(
        valid_from=emergency.opened_at - (grant.valid_to - grant.valid_from), valid_to=timezone.now()
    )
    assert scene.partner.query(grant, person.citizen_id).code == "grant.expired"
    assert outcomes_of(grant) == ["call.answered", "grant.expired"]

    page = f"/break-glass/{emergency.uid}/"
    for person_name, verdict in (("police_head", "JUSTIFIED"), ("reviewer", "UNJUSTIFIED")):
        client.force_login(people[person_name])
        assert "复核" in client.get(page).content.decode()
        assert client.post(page, {"verdict": verdict, "opinion": "已查看调用记录"}).status_code == 302
        assert client.post(page, {"verdict": verdict, "opinion": "再次复核"}).status_code == 409
    found = {(line.ground, line.department.name) for line in liabilities(actor=scene.city.actor("auditor"), now=timezone.now())}
    assert (Ground.EMERGENCY_UNJUSTIFIED, "市教育局") in found
    client.force_login(people["education_operator"])
    assert "应急访问经复核不正当" in client.get("/liabilities/").content.decode()
