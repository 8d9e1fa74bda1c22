"""What a process remembers of grants, keys and the catalogue never outlives what the rows say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from catalog.models import Binding, DataItem, Resource
from exchange.calls import registry
from exchange.models import Credential, Grant
from tests import factories
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of, records_of
from tests.hotpath.refused import check_refused, now
from tests.hotpath.scene import Scene


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"state": "REVOKED", "version": 2}, "grant.revoked"),
        ({"state": "SUSPENDED"}, "grant.suspended"),
        ({"valid_to": now() - timedelta(seconds=1), "version": 2}, "grant.expired"),
        ({"fields": ["sex"], "version": 2}, "grant.field_not_granted"),
    ],
)
@pytest.mark.parametrize("mode", ["QUERY", "BULK"])
def test_grant_changed_behind_the_memory_is_noticed_at_the_next_call(
    scene: Scene, mode: str, changes: dict[str, Any], code: str
) -> None:
    grant = scene.grant(mode=mode, valid_from=now() - timedelta(days=1))
    body: dict[str, Any] = {"fields": ["name"]}
    if mode == "QUERY":
        body["key"] = {"citizen_id": scene.people[0].citizen_id}
    assert scene.partner.call(grant, mode.lower(), body).status == 200
    Grant.objects.filter(pk=grant.pk).update(**changes)
    reply = scene.partner.call(grant, mode.lower(), body)
    check_refused(reply, code)
    assert outcomes_of(grant)[-1] == code


def test_grant_that_was_widened_is_used_at_once(scene: Scene) -> None:
    grant = scene.grant()
    assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200
    Grant.objects.filter(pk=grant.pk).update(masks={}, version=2)
    reply = scene.partner.query(grant, scene.people[0].citizen_id)
    assert reply.status == 200
    assert [record.grant_version for record in records_of(grant)] == [1, 2]


def test_key_revoked_behind_the_memory_is_noticed_at_the_next_call(scene: Scene) -> None:
    partner = partners.make_partner(scene.city.education)
    grant = partners.grant_to(partner, scene.resource, scene.city)
    assert partner.query(grant, scene.people[0].citizen_id).status == 200
    Credential.objects.filter(key=partner.key).update(state="REVOKED")
    check_refused(partner.query(grant, scene.people[0].citizen_id), "auth.credential_revoked")
    assert outcomes_of(grant) == ["call.answered", "auth.credential_revoked"]


def test_withdrawn_or_unmounted_resource_is_not_served(scene: Scene) -> None:
    resource = factories.make_resource(scene.city.police)
    grant = partners.grant_to(scene.partner, resource, scene.city)
    Resource.objects.filter(pk=resource.pk).update(state="WITHDRAWN")
    check_refused(scene.partner.query(grant, scene.people[0].citizen_id), "grant.unusable")
    Resource.objects.filter(pk=resource.pk).update(state="PUBLISHED")
    Binding.objects.filter(resource=resource).delete()
    registry.grants.forget()
    check_refused(scene.partner.query(grant, scene.people[0].citizen_id), "grant.unusable")


@pytest.mark.parametrize(
    "changes", [{"state": "SUSPENDED"}, {"valid_from": now() + timedelta(days=1)}, {"fields": ["name", "no_such_item"]}]
)
def test_refusal_that_was_lifted_is_noticed_before_the_memory_ends(
    scene: Scene, settings: Any, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    settings.GRANT_CACHE_SECONDS = 60
    grant = scene.grant()
    wanted = {name: getattr(grant, name) for name in changes}
    Grant.objects.filter(pk=grant.pk).update(**changes)
    assert scene.partner.query(grant, scene.people[0].citizen_id).status == 403 + 100 * ("fields" in changes)
    Grant.objects.filter(pk=grant.pk).update(**wanted)
    assert scene.partner.query(grant, scene.people[0].citizen_id).status != 200  # asked less than a second ago
    monkeypatch.setattr(registry, "RENEWED_EVERY_SECONDS", 0.0)
    assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200


def test_catalogue_that_was_tightened_reaches_running_grants(scene: Scene) -> None:
    resource = factories.make_resource(scene.city.police)
    grant = partners.grant_to(scene.partner, resource, scene.city)
    assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200
    item = DataItem.objects.filter(resource=resource, name=grant.fields[0])
    for tightened, loosened in (
        (lambda: item.update(is_withheld=True), lambda: item.update(is_withheld=False)),
        (lambda: _share(resource, "WITHHELD"), lambda: _share(resource, "CONDITIONAL")),
    ):
        assert tightened() == 1
        registry.grants.forget()
        check_refused(scene.partner.query(grant, scene.people[0].citizen_id), "grant.unusable")
        assert loosened() == 1
        registry.grants.forget()
        assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200


def _share(resource: Resource, attribute: str) -> int:
    words = {"share_conditions": "核验", "withheld_basis": "法律规定"}
    return Resource.objects.filter(pk=resource.pk).update(share_attribute=attribute, **words)
