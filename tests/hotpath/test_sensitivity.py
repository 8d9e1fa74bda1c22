"""An entry that becomes highly sensitive after a grant was issued is not handed out any more; verifying goes on."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.models import DataItem, Resource
from exchange.calls import registry
from tests import factories
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of
from tests.hotpath.refused import check_refused
from tests.hotpath.scene import Scene


@pytest.mark.parametrize("mode", ["query", "bulk"])
@pytest.mark.parametrize("what", ["grade", "minors", "item"])
def test_grade_raised_after_the_grant_ends_what_hands_data_out(scene: Scene, mode: str, what: str) -> None:
    resource = factories.make_resource(scene.city.police)
    grant = partners.grant_to(scene.partner, resource, scene.city, mode=mode.upper())
    body: dict[str, Any] = {"key": {"citizen_id": scene.people[0].citizen_id}} if mode == "query" else {}
    assert scene.partner.call(grant, mode, body).status == 200
    if what == "item":
        DataItem.objects.filter(resource=resource, name="sex").update(grade="L4")
    else:
        Resource.objects.filter(pk=resource.pk).update(**({"grade": "L4"} if what == "grade" else {"concerns_minors": True}))
    registry.grants.forget()
    reply = scene.partner.call(grant, mode, body)
    check_refused(reply, "grant.verify_only")
    assert outcomes_of(grant)[-1] == "grant.verify_only"


def test_verifying_highly_sensitive_data_tells_words_and_no_value(scene: Scene) -> None:
    resource = factories.make_resource(scene.city.police, grade="L4")
    DataItem.objects.filter(resource=resource).update(grade="L4")
    grant = partners.grant_to(scene.partner, resource, scene.city, mode="VERIFY", fields=["name", "address"], masks={})
    person = scene.people[0]
    body = {
        "key": {"citizen_id": person.citizen_id},
        "attributes": {"name": "不是此人", "address": "别处"},
        "details": True,
        "score": True,
    }
    reply = scene.partner.call(grant, "verify", body)
    assert reply.status == 200
    assert person.name not in reply.body.decode()
    assert str(person.address) not in reply.body.decode()
