"""Calls about subjects with many rows (事实类数据): lists newest first, under the same columns, masks, rows and records."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from basedb.dictionary import DATASETS
from basedb.identifiers import generate_uscc
from basedb.lookup import read_key, select
from basedb.models import Attribute, CreditPenalty, CreditShield, CreditStanding
from basedb.mountable import offered
from catalog.models import Resource
from core.calendar import today_in_shanghai
from core.models import Department
from core.models.shared import CurrentXid
from exchange.calls import connections
from exchange.calls.company import parameters_of
from exchange.calls.joint import joint_sql
from exchange.calls.terms import WORDS
from exchange.models import Grant
from exchange.systems import key_ring
from tests import factories
from tests.basedb.credit_rows import good_row
from tests.hotpath import partner as partners
from tests.hotpath.jobs import Mirror
from tests.hotpath.records import outcomes_of, records_of
from tests.hotpath.refused import check_refused
from tests.hotpath.scene import Scene
from tests.hotpath.test_budget import watched

FIRM, OTHER = generate_uscc(4711, region="990101"), generate_uscc(4712, region="990101")
TODAY = today_in_shanghai(timezone.now())
ITEMS = ["document_number", "subject_name", "fine", "decided_on"]


def penalty(department: Department, number: str, *, subject: str = FIRM, **values: Any) -> CreditPenalty:
    """A penalty as the base holds it, shown today unless the values say otherwise."""
    taken = {name: value for name, value in good_row("credit.penalty").items() if value and not name.endswith(("_on", "until"))}
    days = {"decided_on": TODAY - timedelta(days=30), "published_on": TODAY - timedelta(days=25)}
    made: dict[str, Any] = taken | days | {"publish_until": TODAY + timedelta(days=30), "subject_code": subject} | values
    return CreditPenalty.objects.create(
        **made | {"document_number": number},
        subject_key=key_ring().subject_key(subject),
        row_key=hashlib.md5(number.encode()).digest(),  # noqa: S324  # any sixteen bytes
        source_department=department,
        source_record_id=1,
        run_id=1,
    )


@pytest.fixture(scope="module")
def resource(scene: Scene) -> Resource:
    return mounted(scene, "credit.penalty")


def mounted(scene: Scene, dataset: str, **values: Any) -> Resource:
    """A resource that offers every field of a dataset under its own name."""
    made = factories.make_resource(scene.city.market, dataset=dataset, **values)
    made.binding.columns = {name: name for name in DATASETS[dataset].field_names}
    made.binding.save()
    return made


@pytest.fixture(autouse=True)
def clean(scene: Scene) -> Iterator[None]:
    yield
    for model in (CreditPenalty, CreditShield, CreditStanding):
        model.objects.all().delete()


def granted(scene: Scene, resource: Resource, **values: Any) -> Grant:
    defaults: dict[str, Any] = {"fields": ITEMS, "masks": {"subject_name": "NAME"}, "quota_per_second": 1000}
    return partners.grant_to(scene.partner, resource, scene.city, **defaults | values)


def ask(scene: Scene, grant: Grant, subject: str = FIRM, **more: Any) -> partners.Reply:
    return scene.partner.call(grant, "query", {"key": {"subject_code": subject}} | more)


def numbers(reply: partners.Reply) -> list[str]:
    return [item["document_number"] for item in reply.json["items"]]


def test_rows_of_a_subject_come_as_a_list_newest_first_under_columns_and_masks(scene: Scene, resource: Resource) -> None:
    for number, days in (("A", 30), ("B", 10), ("C", 20)):
        penalty(scene.city.market, number, decided_on=TODAY - timedelta(days=days))
    penalty(scene.city.market, "D", subject=OTHER)
    grant = granted(scene, resource)
    reply = ask(scene, grant)
    assert (reply.status, reply.json["status"], reply.json["more"]) == (200, "found", False)
    assert list(reply.json) == ["call_id", "status", "items", "more", "as_of"]
    assert numbers(reply) == ["B", "C", "A"]
    day = (TODAY - timedelta(days=10)).isoformat()
    assert reply.json["items"][0] == {"document_number": "B", "subject_name": "南*********", "fine": "1.234567", "decided_on": day}
    (record,) = records_of(grant)
    assert (record.outcome, record.row_count, record.fields) == ("call.answered", 3, ITEMS)
    assert bytes(record.subject_key or b"") == key_ring().subject_key(FIRM)
    assert (
        bytes(record.answer_digest or b"").hex() == hashlib.sha256(reply.body).hexdigest() == reply.headers["X-Gov-Answer-Digest"]
    )
    with watched() as (statements, commands):
        assert ask(scene, grant, fields=["fine"]).json["items"][0] == {"fine": "1.234567"}
        assert ask(scene, grant, fields=["fine"]).json["status"] == "found"
    assert (len(commands), len([sql for sql in statements if sql.startswith("EXECUTE")])) == (2, 2)


def test_whom_nobody_penalized_gets_an_empty_list_and_a_record(scene: Scene, resource: Resource) -> None:
    grant = granted(scene, resource)
    reply = ask(scene, grant)
    assert (reply.json["status"], reply.json["items"], reply.json["more"]) == ("not_found", [], False)
    assert [record.row_count for record in records_of(grant)] == [0]


def test_a_list_is_cut_at_its_limit_and_says_so(scene: Scene, resource: Resource) -> None:
    for number in range(102):
        penalty(scene.city.market, f"{number:03d}", decided_on=TODAY - timedelta(days=200 - number))
    grant = granted(scene, resource)
    whole = ask(scene, grant)
    assert (len(whole.json["items"]), whole.json["more"], records_of(grant)[0].row_count) == (100, True, 100)
    few = ask(scene, grant, limit=2)
    assert (numbers(few), few.json["more"]) == (["101", "100"], True)
    for limit in (0, 101, True, "5", None):
        check_refused(ask(scene, grant, limit=limit), "call.invalid_parameter")


def test_a_limit_is_no_parameter_of_a_subject_with_one_row(scene: Scene) -> None:
    body = {"key": {"citizen_id": scene.people[0].citizen_id}, "limit": 5}
    check_refused(scene.partner.call(scene.grant(), "query", body), "call.invalid_parameter")


def test_division_row_filter_and_withdrawal_limit_the_list(scene: Scene, resource: Resource) -> None:
    penalty(scene.city.market, "here", region_code="320102")
    penalty(scene.city.market, "there", region_code="320104")
    penalty(scene.city.market, "gone", withdrawn_at=timezone.now())
    grant = granted(scene, resource, region_prefix="320102")
    assert numbers(ask(scene, grant)) == ["here"]
    rule = [{"kind": "list", "item": "region_code", "values": ["320104"]}]
    assert numbers(ask(scene, granted(scene, resource, row_filter=rule))) == ["there"]
    members = granted(scene, resource, row_filter=[{"kind": "own_clients"}])
    assert ask(scene, members).json["items"] == []


@pytest.mark.parametrize("standing", ["retracted", "repaired"])
def test_what_is_not_shown_any_more_never_leaves(scene: Scene, resource: Resource, standing: str) -> None:
    hidden = penalty(scene.city.market, "hidden")
    penalty(scene.city.market, "ended", publish_until=TODAY - timedelta(days=1))
    penalty(scene.city.market, "lifted", lifted_on=TODAY)
    penalty(scene.city.market, "slight", publish_until=None)
    penalty(scene.city.market, "shown")
    grants = [granted(scene, resource), granted(scene, resource, mode="BULK")]
    assert set(numbers(ask(scene, grants[0]))) == {"shown", "hidden"}
    CreditStanding.objects.create(dataset="credit.penalty", row_key=hidden.row_key, **{f"{standing}_at": timezone.now()})
    assert numbers(ask(scene, grants[0])) == ["shown"]
    rows = list(csv.DictReader(io.StringIO(scene.partner.call(grants[1], "bulk", {}).body.decode())))
    assert [row["document_number"] for row in rows] == ["shown"]


def test_a_shielded_entity_has_no_records(scene: Scene, resource: Resource) -> None:
    penalty(scene.city.market, "A")
    CreditShield.objects.create(
        subject_key=key_ring().subject_key(FIRM), court="法院", case_number="1", made_by_name="x", made_at=timezone.now(),
        period=(TODAY, TODAY + timedelta(days=9)),
    )  # fmt: skip
    assert ask(scene, granted(scene, resource)).json["items"] == []


def test_natural_persons_are_read_under_conditional_sharing_alone(scene: Scene, resource: Resource) -> None:
    citizen = scene.people[0].citizen_id
    penalty(scene.city.market, "P", subject=citizen, subject_category="自然人")
    assert numbers(ask(scene, granted(scene, resource), citizen)) == ["P"]
    unconditional = mounted(scene, "credit.penalty", share_attribute="UNCONDITIONAL", share_conditions="")
    assert ask(scene, granted(scene, unconditional), citizen).json["items"] == []
    penalty(scene.city.market, "firm")
    assert numbers(ask(scene, granted(scene, unconditional))) == ["firm"]


def test_many_keys_have_a_list_each_and_share_a_limit(scene: Scene, resource: Resource) -> None:
    for number in ("A", "B"):
        penalty(scene.city.market, number)
    grant = granted(scene, resource)
    keys = [{"subject_code": code} for code in (OTHER, FIRM, "no code", FIRM)]
    reply = scene.partner.call(grant, "query", {"keys": keys, "limit": 1, "fields": ["document_number"]})
    one = {"status": "found", "items": [{"document_number": "B"}], "more": True}
    nobody = {"status": "not_found", "items": [], "more": False}
    assert reply.json["results"] == [
        nobody,
        one,
        {"status": "invalid", "details": {"key.subject_code": "not_a_valid_identifier"}},
        one,
    ]
    assert [record.row_count for record in records_of(grant)] == [2]
    many = [{"subject_code": FIRM}] * 500
    check_refused(scene.partner.call(grant, "query", {"keys": many, "limit": 21}), "call.invalid_parameter")
    assert {len(found["items"]) for found in scene.partner.call(grant, "query", {"keys": many}).json["results"]} == {2}


def test_a_verification_says_yes_when_any_row_has_the_value(scene: Scene, resource: Resource) -> None:
    penalty(scene.city.market, "A", fine="1.5", confiscated=None)
    penalty(scene.city.market, "B", fine=None, confiscated=None)
    penalty(scene.city.market, "hidden", fine="9", publish_until=TODAY - timedelta(days=1))
    items = ["document_number", "fine", "confiscated", "content"]
    grant = granted(scene, resource, mode="VERIFY", fields=items, masks={"content": "HIDDEN"})
    asked = {"document_number": "B", "fine": "1.5", "confiscated": "1", "content": "罚款"}
    body = {"key": {"subject_code": FIRM}, "attributes": asked, "score": True}
    told = {"document_number": "yes", "fine": "yes", "confiscated": "not_available", "content": "not_available"}
    reply = scene.partner.call(grant, "verify", body)
    assert (reply.json["result"], reply.json["score"], records_of(grant)[-1].row_count) == (told, 1.0, 1)
    wrong = {"checks": [{"key": {"subject_code": FIRM}, "attributes": {"fine": "9"}}]}
    assert scene.partner.call(grant, "verify", wrong).json["results"] == [{"status": "answered", "result": {"fine": "no"}}]
    check_refused(scene.partner.call(grant, "verify", body | {"details": True}), "call.invalid_parameter")


def test_a_revoked_grant_hands_no_list_over(scene: Scene, resource: Resource) -> None:
    penalty(scene.city.market, "A")
    grant = granted(scene, resource)
    assert ask(scene, grant).status == 200
    Grant.objects.filter(pk=grant.pk).update(state="REVOKED", version=grant.version + 1)
    check_refused(ask(scene, grant), "grant.revoked")
    assert outcomes_of(grant) == ["call.answered", "grant.revoked"]


def test_either_subject_is_named_by_its_identifier_and_nothing_else(scene: Scene, resource: Resource) -> None:
    assert read_key("credit.penalty", FIRM.lower()) == FIRM
    assert read_key("license.license", scene.people[0].citizen_id) == scene.people[0].citizen_id
    for wrong in ("EA1234567", "", "990101198005170000"):
        check_refused(ask(scene, granted(scene, resource), wrong), "call.invalid_parameter")


def test_a_feed_tells_rows_apart_and_takes_back_what_is_shown_no_more(scene: Scene, resource: Resource) -> None:
    rows = [penalty(scene.city.market, number) for number in ("A", "B")]
    grant = granted(scene, resource, mode="SUBSCRIBE", fields=["document_number"], masks={})
    mirror = Mirror(scene.partner, grant)
    mirror.follow()
    keys = {row["document_number"]: key for key, row in mirror.rows.items()}
    assert set(keys) == {"A", "B"}
    CreditPenalty.objects.filter(pk=rows[1].pk).update(withdrawn_at=timezone.now(), changed_xid=CurrentXid())
    mirror.follow()
    assert mirror.rows == {keys["A"]: {"document_number": "A"}}
    assert mirror.told[-1] == {"op": "delete", "key": keys["B"]}


def test_facts_without_a_division_follow_that_of_their_person(scene: Scene) -> None:
    person = scene.people[0]
    Attribute.objects.create(
        citizen_id=person.citizen_id, subject_key=bytes(person.subject_key), attribute_kind="EDUCATION", attribute_value="20",
        row_key=bytes(16), source_department=scene.city.police, source_record_id=1, run_id=1, valid_from=date(2020, 1, 1),
    )  # fmt: skip
    resource = mounted(scene, "population.attribute")
    for prefix, count in (("", 1), ("320102", 1), ("320104", 0)):
        grant = granted(scene, resource, fields=["attribute_value"], masks={}, region_prefix=prefix)
        reply = scene.partner.query(grant, person.citizen_id)
        assert len(reply.json["items"]) == count
        copy = granted(scene, resource, mode="BULK", fields=["attribute_value"], masks={}, region_prefix=prefix)
        assert scene.partner.call(copy, "bulk", {}).body.decode().count("\n") == 1 + count
    feed = granted(scene, resource, mode="SUBSCRIBE", fields=["attribute_value"], masks={}, region_prefix="320102")
    check_refused(scene.partner.call(feed, "subscribe", {"after": None}), "grant.unusable")


def test_every_fact_can_be_asked_for_every_item_but_keys_of_others(scene: Scene) -> None:
    connections.close()
    for dataset in offered():
        if not dataset.row_fields or dataset.subject == "PLACE":
            continue
        names = list(dataset.field_names)
        for mode in ("QUERY", "VERIFY"):
            selection = select(dataset=dataset.code, items=names, columns={name: name for name in names}, masks={})
            connections._session()._prepare(joint_sql(mode, selection, WORDS), parameters_of(0))
        for linked in set(DATASETS[dataset.code].field_names) - set(names):
            with pytest.raises(ValueError, match="is not served"):
                select(dataset=dataset.code, items=[linked], columns={linked: linked}, masks={})
    connections.close()
