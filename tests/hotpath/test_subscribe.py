"""A change feed: snapshot then stream, nothing skipped, nothing told that was not granted."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from basedb.models import Person
from exchange.calls import registry
from exchange.feeds import reading
from exchange.models import FeedMember, Grant
from tests.hotpath import jobs, partner
from tests.hotpath.jobs import Mirror, changes
from tests.hotpath.records import outcomes_of, records_of
from tests.hotpath.scene import Scene


def subscribed(scene: Scene, **values: Any) -> Grant:
    return scene.grant(**{"mode": "SUBSCRIBE", "fields": ["name", "address"], "masks": {}} | values)


def change(person: Person, **values: Any) -> None:
    """Change a row as the merge does: in a transaction whose number the row then carries."""
    sets = ", ".join(f"{name} = %s" for name in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE basedb_person SET {sets}, changed_xid = pg_current_xact_id() WHERE id = %s", [*values.values(), person.pk]
        )


def stands(prefix: str = "") -> list[tuple[str | None, str | None]]:
    rows = Person.objects.filter(region_code__startswith=prefix).values_list("name", "address")
    return sorted(rows, key=str)


def held(mirror: Mirror) -> list[tuple[str | None, str | None]]:
    return sorted(((row["name"], row["address"]) for row in mirror.rows.values()), key=str)


def other_session() -> Any:
    place = settings.DATABASES["default"]
    return psycopg2.connect(
        host=place["HOST"], port=place["PORT"], dbname=place["NAME"], user=place["USER"], password=place["PASSWORD"]
    )


def test_snapshot_and_stream_together_equal_the_table(scene: Scene) -> None:
    people = [partner.make_person(scene.city.police, 101 + 2 * n, name=f"流{n}") for n in range(7)]
    mirror = Mirror(scene.partner, subscribed(scene))
    mirror.step(limit=3)  # the snapshot has begun
    change(people[0], name="先改")
    change(people[6], name="后改")
    people.append(partner.make_person(scene.city.police, 131, name="新来"))
    mirror.follow(limit=2)
    assert held(mirror) == stands()
    change(people[3], address="江苏省南京市玄武区新路2号")
    mirror.follow(limit=1)
    assert held(mirror) == stands()
    assert mirror.told[-1]["data"] == {"name": "流3", "address": "江苏省南京市玄武区新路2号"}


def test_transaction_that_commits_late_is_not_skipped(scene: Scene) -> None:
    mirror = Mirror(scene.partner, subscribed(scene))
    mirror.follow()
    late = other_session()
    with late.cursor() as cursor:
        cursor.execute(
            "UPDATE basedb_person SET name = '迟交', changed_xid = pg_current_xact_id() WHERE id = %s", [scene.people[0].pk]
        )
    change(scene.people[1], name="早交")  # a later transaction that commits before
    while not mirror.step():
        pass
    late.commit()
    late.close()
    mirror.follow()
    assert held(mirror) == stands()
    assert "迟交" in {row["name"] for row in mirror.rows.values()}


def test_row_that_leaves_the_granted_rows_is_deleted_and_others_outside_are_never_told(scene: Scene) -> None:
    mover = partner.make_person(scene.city.police, 151, name="要迁出")
    stranger = partner.make_person(scene.city.police, 153, name="外区人", region_code="320104")
    grant = subscribed(scene, region_prefix="320102")
    mirror = Mirror(scene.partner, grant)
    mirror.follow()
    begun = mirror.after
    assert held(mirror) == stands("320102")
    [key] = [key for key, row in mirror.rows.items() if row["name"] == "要迁出"]
    told = len(mirror.told)
    change(mover, region_code="320104")
    change(stranger, name="仍在外区")
    mirror.follow()
    assert mirror.told[told:] == [{"op": "delete", "key": key}]
    again = Mirror(scene.partner, grant)  # from the older timepoint: the deletion is told again
    again.after = begun
    again.follow()
    assert again.told == [{"op": "delete", "key": key}]
    assert not FeedMember.objects.filter(grant=grant, row_key=stranger.subject_key).exists()


def test_only_granted_columns_leave_masked_and_under_keys_of_this_grant(scene: Scene) -> None:
    first = subscribed(scene, fields=["name"], masks={"name": "NAME"})
    second = subscribed(scene, fields=["name"], masks={"name": "NAME"})
    told = [changes(scene.partner, grant, None).json["changes"] for grant in (first, second)]
    assert all(row["data"].keys() == {"name"} and row["data"]["name"].endswith("*") for row in told[0])
    assert not {row["key"] for row in told[0]} & {row["key"] for row in told[1]}
    for person in scene.people:
        assert person.citizen_id not in str(told)
        assert bytes(person.subject_key).hex() not in str(told)


def test_timepoint_is_of_no_use_under_other_terms_elsewhere_or_later(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    grant, other = subscribed(scene), subscribed(scene)
    point = changes(scene.partner, grant, None).json["timepoint"]
    assert changes(scene.partner, other, point).code == "call.invalid_parameter"
    raw = bytearray(base64.urlsafe_b64decode(point + "=="))
    raw[-1] ^= 1
    assert changes(scene.partner, grant, base64.urlsafe_b64encode(bytes(raw)).decode()).code == "call.invalid_parameter"
    assert changes(scene.partner, grant, "无").code == "call.invalid_parameter"
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(reading, "EPOCH", "SELECT <<database>> || 'another'")
        reply = changes(scene.partner, grant, point)
        assert (reply.status, reply.code) == (416, "feed.timepoint_too_old")
    with monkeypatch.context() as later:
        later.setattr("django.conf.settings.FEED_KEPT_DAYS", -1)
        assert changes(scene.partner, grant, point).code == "feed.timepoint_too_old"
    Grant.objects.filter(pk=grant.pk).update(fields=["name"], version=2)
    registry.grants.forget()
    reply = changes(scene.partner, grant, point)
    assert (reply.status, reply.code) == (416, "feed.terms_changed")
    assert changes(scene.partner, grant, None).status == 200


def test_every_page_leaves_an_opened_and_a_closed_record_with_its_rows(scene: Scene) -> None:
    grant = subscribed(scene)
    reply = changes(scene.partner, grant, None, limit=2)
    opened, closed = records_of(grant)
    assert (opened.outcome, opened.mode, closed.outcome, closed.row_count) == ("call.opened", "SUBSCRIBE", "call.closed", 2)
    assert bytes(closed.answer_digest).hex() == reply.headers["X-Gov-Answer-Digest"]
    assert str(closed.parent_call_id) == reply.json["call_id"]


def test_feed_asks_what_every_call_is_asked(scene: Scene) -> None:
    assert changes(scene.partner, scene.grant(mode="QUERY"), None).code == "grant.mode_mismatch"
    assert changes(scene.partner, subscribed(scene, state="SUSPENDED"), None).code == "grant.suspended"
    expired = subscribed(scene, valid_to=timezone.now() - timedelta(seconds=1))
    assert changes(scene.partner, expired, None).code == "grant.expired"
    stranger = partner.make_partner(scene.city.market)
    assert changes(stranger, subscribed(scene), None).code == "grant.not_found"
    assert changes(scene.partner.with_wrong_secret(), subscribed(scene), None).code == "auth.bad_signature"
    for body in ({}, {"after": 1}, {"after": None, "limit": 0}, {"after": None, "limit": 1001}, {"after": None, "limit": True}):
        grant = subscribed(scene)
        reply = jobs.ask(scene.partner, "POST", partner.path_of(grant, "subscribe"), body)
        assert (reply.status, outcomes_of(grant)) == (422, ["call.invalid_parameter"])
