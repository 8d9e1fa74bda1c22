"""Policy: when the purpose ends the data is disposed of, and the provider confirms it."""

from __future__ import annotations

from datetime import datetime

from django.test import Client

from exchange.care import disposals
from exchange.care.liabilities import Ground, liabilities
from exchange.granting.grant_workflow import GrantCommand
from exchange.granting.grants import change_state
from exchange.models import Disposal
from tests import factories
from tests.factories import City


def test_when_the_purpose_ends_the_data_is_disposed_of(city: City, now: datetime, client: Client) -> None:
    grant = factories.make_grant(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"]
    )
    change_state(grant_uid=grant.uid, command=GrantCommand.REVOKE, reason="业务取消", actor=city.actor("reviewer"), now=now)
    assert disposals.open_due(now=now) == 1
    disposal = Disposal.objects.get()
    page = f"/disposals/{disposal.uid}/"

    late = liabilities(actor=city.actor("education_operator"), now=disposal.due_at)
    assert [(line.ground, line.count) for line in late if line.ground is Ground.NO_DISPOSAL] == [(Ground.NO_DISPOSAL, 1)]

    client.force_login(city.people["education_operator"])
    assert "现由市教育局经办人处置数据并报告" in client.get(page).content.decode()
    wrong = client.post(f"{page}report/", {"manner": "DESTROYED", "account": ""})
    assert wrong.status_code == 422
    assert client.post(f"{page}report/", {"manner": "DESTROYED", "account": "数据库表已清除，两人见证"}).status_code == 302

    client.force_login(city.people["police_operator"])
    assert "现由市公安局确认或退回" in client.get(page).content.decode()
    assert client.post(f"{page}decide/", {"action": "send_back", "opinion": "请补充备份的处置"}).status_code == 302
    client.force_login(city.people["education_operator"])
    assert "请补充备份的处置" in client.get(page).content.decode()
    client.post(f"{page}report/", {"manner": "DESTROYED", "account": "数据库表与备份均已清除，两人见证"})
    client.force_login(city.people["police_head"])
    assert client.post(f"{page}decide/", {"action": "confirm", "opinion": "同意"}).status_code == 302
    disposal.refresh_from_db()
    assert disposal.state == "CONFIRMED"
    gone = liabilities(actor=city.actor("education_operator"), now=disposal.due_at)
    assert Ground.NO_DISPOSAL not in {line.ground for line in gone}
