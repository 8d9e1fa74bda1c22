"""Matters: drafting, review and versions; fetching part by part under grants; what is recorded, kept and forgotten."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from exchange.matters import coverage, definition, figures, reading
from exchange.matters.content import Content
from exchange.matters.fetching import Fetched, fetch, fetch_at_desk, forget_answers, kept_answer
from exchange.models import CallRecord, Matter, MatterCase, MatterFetch, MatterPart, PartState
from exchange.subject_keys import subject_key_of
from licenses.models import LicenseUse
from tests.exchange import matter_scene as scenes
from tests.exchange.matter_scene import BIRTH, CONTENT, FATHER, LICENSE_ITEMS, MARRIAGE, MOTHER, STRANGER, Scene, ask
from tests.factories import City, restore_shipped


@pytest.fixture
def scene(city: City, now: datetime) -> Scene:
    restore_shipped()
    return scenes.make_scene(city, now)


def answered(scene: Scene, now: datetime | None = None, **values: Any) -> dict[str, Any]:
    """Fetch and return the parts by material."""
    at = now or timezone.now()
    return parts_of(fetch(ask=ask(**values), signed=scene.signed(at), actor=scene.actor(), now=at))


def parts_of(fetched: Fetched) -> dict[str, Any]:
    assert fetched.text is not None
    return {part["material"]: part for part in json.loads(fetched.text)["parts"]}


def states(parts: dict[str, Any]) -> dict[str, str]:
    return {name: part["state"] for name, part in parts.items()}


def test_every_part_stands_alone_and_what_is_found_is_recorded(scene: Scene) -> None:
    scenes.make_person(scene.city.police, MOTHER)
    marriage = scenes.make_license(scene.city.police, MARRIAGE, MOTHER)
    scene.grant(scene.people, ("name", "sex"))
    scene.grant(scene.licenses, ("number", "identifier", "face"))
    parts = answered(scene)
    assert states(parts) == {
        "identity": "FOUND", "marriage": "FOUND", "birth": "NOT_FOUND", "father_identity": "NOT_NEEDED", "photo": "TO_SUBMIT",
    }  # fmt: skip
    assert parts["identity"]["answer"]["items"] == [{"name": "李明月", "sex": "2"}]
    assert parts["identity"]["missing_items"] == ["birth_on"]
    assert parts["marriage"]["answer"]["items"] == [{"number": marriage.number, "face.登记机关": "民政局"}]
    (license_told,) = parts["marriage"]["answer"]["licenses"]
    assert license_told == {"issued_by": marriage.issuer, "identifier": marriage.identifier}
    assert CallRecord.objects.get(call_id=parts["marriage"]["call_id"]).fields == ["number", "face", "identifier"]
    assert parts["birth"]["todo"] == "REPORT_MISSING"
    assert parts["photo"]["todo"] == "SUBMIT"
    records = {record.call_id: record for record in CallRecord.objects.all()}
    assert {str(record.call_id) for record in records.values()} == {part["call_id"] for part in parts.values() if part["call_id"]}
    assert {record.matter for record in records.values()} == {"birth"}
    assert {record.case_number for record in records.values()} == {"C-1"}
    assert {bytes(record.subject_key or b"") for record in records.values()} == {subject_key_of(MOTHER)}
    use = LicenseUse.objects.get()
    assert (use.identifier, use.channel, use.items) == (marriage.identifier, "MATTER", ["number", "face.登记机关"])
    assert str(use.call_id) == parts["marriage"]["call_id"]


def test_identifier_of_a_license_is_told_only_where_it_is_granted(scene: Scene) -> None:
    scenes.make_license(scene.city.police, MARRIAGE, MOTHER)
    scene.grant(scene.licenses, ("number",))
    told = answered(scene)["marriage"]["answer"]["licenses"]
    assert [set(one) for one in told] == [{"issued_by"}]


def test_part_without_a_grant_is_refused_and_recorded_and_the_others_answered(scene: Scene) -> None:
    scenes.make_license(scene.city.police, MARRIAGE, MOTHER)
    scene.grant(scene.licenses, ("number",))
    parts = answered(scene)
    assert states(parts) | {"father_identity": "", "photo": ""} == {
        "identity": "REFUSED_NO_GRANT", "marriage": "FOUND", "birth": "NOT_FOUND", "father_identity": "", "photo": "",
    }  # fmt: skip
    assert parts["identity"]["reason"] == "grant.not_found"
    assert parts["identity"]["todo"] == "ASK_GRANT"
    assert parts["identity"]["answer"] is None
    record = CallRecord.objects.get(call_id=parts["identity"]["call_id"])
    assert (record.outcome, record.grant_id) == ("grant.not_found", None)


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ({"state": "SUSPENDED"}, "grant.suspended"),
        ({"state": "REVOKED"}, "grant.revoked"),
        ({"matters": ["other"]}, "grant.matter_not_granted"),
        ({"ip_list": ["198.51.100.0/24"]}, "grant.ip_not_listed"),
        ({"control_parameters": {"channel": ["web"]}}, "call.control_parameter"),
        ({"fields": ["address"]}, "grant.field_not_granted"),
    ],
)
def test_grant_that_may_not_be_used_refuses_its_part(scene: Scene, terms: dict[str, Any], reason: str) -> None:
    scenes.make_person(scene.city.police, MOTHER)
    scene.grant(scene.people, terms.pop("fields", ("name",)), **terms)
    part = answered(scene)["identity"]
    assert (part["state"], part["reason"]) == ("REFUSED_NO_GRANT", reason)


def test_license_that_begins_later_is_not_valid_yet(scene: Scene) -> None:
    scenes.make_license(scene.city.police, MARRIAGE, MOTHER, valid_from="20990101", valid_to="20991231")
    scene.grant(scene.licenses, ("number", "issued_on"))
    part = answered(scene)["marriage"]
    assert (part["state"], part["reason"], part["todo"]) == ("NOT_VALID", "NOT_YET_VALID", "SUBMIT")
    assert part["answer"]["items"] == []


def test_license_that_is_not_valid_is_told_with_its_reason_and_without_items(scene: Scene) -> None:
    scenes.make_license(scene.city.police, MARRIAGE, MOTHER, valid_to="20210101")
    scenes.make_license(scene.city.police, BIRTH, MOTHER, license_state="07")
    scene.grant(scene.licenses, ("number", "issued_on"))
    parts = answered(scene)
    assert {name: (parts[name]["state"], parts[name]["reason"]) for name in ("marriage", "birth")} == {
        "marriage": ("NOT_VALID", "EXPIRED"), "birth": ("NOT_VALID", "REVOKED"),
    }  # fmt: skip
    assert parts["marriage"]["answer"]["items"] == []
    assert parts["marriage"]["todo"] == "RENEW"
    assert not LicenseUse.objects.exists()


def test_row_filter_and_division_of_a_grant_limit_the_rows(scene: Scene) -> None:
    scenes.make_license(scene.city.police, MARRIAGE, MOTHER)
    scenes.make_person(scene.city.police, MOTHER)
    listed = {"row_filter": [{"kind": "list", "item": "type_code", "values": [BIRTH]}]}
    scene.grant(scene.licenses, ("type_code", "number"), **listed)
    scene.grant(scene.people, ("name",), region_prefix="320104")
    parts = answered(scene)
    assert states(parts)["marriage"] == "REFUSED_NO_GRANT"
    assert states(parts)["birth"] == "NOT_FOUND"
    assert states(parts)["identity"] == "NOT_FOUND"


def test_quota_that_ran_out_fails_its_part_alone(scene: Scene) -> None:
    scenes.make_person(scene.city.police, MOTHER)
    scenes.make_license(scene.city.police, MARRIAGE, MOTHER)
    scene.grant(scene.people, ("name",))
    scene.grant(scene.licenses, ("number",), quota_per_day=1)
    parts = answered(scene)
    assert states(parts)["identity"] == "FOUND"
    assert (parts["birth"]["state"], parts["birth"]["reason"]) == ("ERROR", "quota.day_exceeded")
    assert parts["birth"]["todo"] == "TRY_AGAIN"


def test_statement_that_fails_fails_its_part_alone(scene: Scene) -> None:
    scenes.make_person(scene.city.police, MOTHER)
    scene.grant(scene.people, ("name",))
    scene.grant(scene.licenses, ("number",))
    with connection.cursor() as cursor:  # a defect in the data store of licenses alone
        cursor.execute("ALTER TABLE basedb_license RENAME COLUMN issuer TO issuer_gone")
        parts = answered(scene)
        cursor.execute("ALTER TABLE basedb_license RENAME COLUMN issuer_gone TO issuer")
    assert states(parts)["identity"] == "FOUND"
    assert (parts["marriage"]["state"], parts["marriage"]["reason"]) == ("ERROR", "platform.unavailable")
    assert CallRecord.objects.filter(outcome="platform.unavailable").count() == 2


def test_repeat_gets_the_first_answer_and_fetches_nothing_anew(scene: Scene) -> None:
    scenes.make_person(scene.city.police, MOTHER)
    scene.grant(scene.people, ("name",))
    now = timezone.now()
    first = fetch(ask=ask(), signed=scene.signed(now), actor=scene.actor(), now=now)
    records = CallRecord.objects.count()
    again = fetch(ask=ask(), signed=scene.signed(now), actor=scene.actor(), now=now)
    assert (again.is_new, again.text, again.fetch.pk) == (False, first.text, first.fetch.pk)
    assert CallRecord.objects.count() == records
    with pytest.raises(Conflict, match=r"matter_case\.key_reused"):
        fetch(ask=ask(parties=[("mother", STRANGER)]), signed=scene.signed(now), actor=scene.actor(), now=now)
    other = fetch(ask=ask(key="k2"), signed=scene.signed(now), actor=scene.actor(), now=now)
    assert other.is_new
    assert MatterCase.objects.count() == 1


def test_case_number_belongs_to_one_matter(scene: Scene, now: datetime) -> None:
    scenes.publish(scene.city, "other", CONTENT, now)
    answered(scene)
    with pytest.raises(Conflict, match=r"matter_case\.other_matter"):
        answered(scene, matter="other", key="k2")


def test_values_are_kept_sealed_for_a_while_and_then_gone(scene: Scene) -> None:
    scenes.make_person(scene.city.police, MOTHER)
    scene.grant(scene.people, ("name",))
    now = timezone.now()
    made = fetch(ask=ask(), signed=scene.signed(now), actor=scene.actor(), now=now).fetch
    stored = MatterFetch.objects.get()
    assert "李明月".encode() not in bytes(stored.answer_ciphertext or b"")
    operator = scene.city.actor("education_operator")
    shown = reading.read_case(uid=stored.case.uid, actor=operator, now=now)
    assert shown.answers[stored.uid]["identity"]["items"] == [{"name": "李明月"}]
    assert reading.read_case(uid=stored.case.uid, actor=scene.city.actor("education_head"), now=now).answers == {}
    with pytest.raises(NotFound):
        reading.read_case(uid=stored.case.uid, actor=scene.city.actor("market_operator"), now=now)
    later = stored.kept_until + timedelta(seconds=1)
    assert kept_answer(stored, later) is None
    assert forget_answers(now=later) == 1
    stored.refresh_from_db()
    assert stored.answer_ciphertext is None
    again = fetch(ask=ask(), signed=scene.signed(now), actor=scene.actor(), now=later)
    assert (again.text, again.is_new) == (None, False)
    told = reading.told_without_values(made, made.case)
    assert told["values_kept"] is False
    assert [part["answer"] for part in told["parts"]] == [None] * 5


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"matter": "unknown"}, "matter"),
        ({"case_number": "办件一"}, "case_number"),
        ({"case_number": MOTHER}, "case_number"),
        ({"officer": MOTHER}, "officer"),
        ({"purpose": " "}, "purpose"),
        ({"parties": [("mother", "1" * 18)]}, "parties.mother"),
        ({"parties": []}, "parties.mother"),
        ({"parties": [("mother", MOTHER), ("mother", MOTHER)]}, "parties.mother"),
        ({"parties": [("mother", MOTHER), ("father", MOTHER)]}, "parties.father"),
        ({"parties": [("mother", MOTHER), ("uncle", FATHER)]}, "parties.uncle"),
    ],
)
def test_bad_requests_fetch_nothing_and_say_what_is_wrong(scene: Scene, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        answered(scene, **values)
    assert field in caught.value.details
    assert not any(MOTHER in str(text) for text in caught.value.details.values())
    assert not MatterCase.objects.exists()
    assert not CallRecord.objects.exists()


def test_draft_is_not_fetched_for_and_retired_neither(scene: Scene, now: datetime) -> None:
    operator = scene.city.actor("police_operator")
    definition.draft(code="draft", content=CONTENT, actor=operator, now=now)
    for code in ("draft", "birth"):
        if code == "birth":
            definition.retire(uid=scene.matter.uid, revision=scene.matter.revision, actor=operator, now=now)
        with pytest.raises(Invalid):
            answered(scene, matter=code)


def test_next_version_takes_the_place_of_the_one_before(scene: Scene, now: datetime) -> None:
    second = scenes.publish(scene.city, "birth", scenes.without(CONTENT, "photo"), now)
    assert second.number == 2
    assert Matter.objects.get(pk=scene.matter.pk).state == "RETIRED"
    assert set(answered(scene)) == {"identity", "marriage", "birth", "father_identity"}


def test_only_the_leading_department_edits_and_only_the_centre_publishes(scene: Scene, now: datetime) -> None:
    operator, other = scene.city.actor("police_operator"), scene.city.actor("market_operator")
    made = definition.draft(code="new", content=CONTENT, actor=operator, now=now)
    with pytest.raises(NotFound):
        definition.revise(uid=made.uid, revision=1, content=CONTENT, actor=other, now=now)
    with pytest.raises(Conflict):
        definition.draft(code="new", content=CONTENT, actor=other, now=now)
    with pytest.raises(Forbidden):
        definition.draft(code="newer", content=CONTENT, actor=scene.city.actor("police_head"), now=now)
    with pytest.raises(Conflict, match=r"revision\.stale"):
        definition.revise(uid=made.uid, revision=9, content=CONTENT, actor=operator, now=now)
    made = definition.submit(uid=made.uid, revision=made.revision, actor=operator, now=now)
    with pytest.raises(Forbidden):
        definition.decide(uid=made.uid, revision=made.revision, is_approved=True, note="", actor=operator, now=now)
    reviewer = scene.city.actor("reviewer")
    with pytest.raises(Invalid):
        definition.decide(uid=made.uid, revision=made.revision, is_approved=False, note="", actor=reviewer, now=now)
    made = definition.decide(uid=made.uid, revision=made.revision, is_approved=False, note="请补依据", actor=reviewer, now=now)
    assert made.state == "DRAFT"
    assert AuditEntry.objects.filter(action="matter.returned").exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"materials": (replace(CONTENT.materials[0], items=("phone_number",)),)}, "materials[0].items"),
        (
            {"materials": (replace(CONTENT.materials[0], dataset="legal_entity.enterprise", items=("name",)),)},
            "materials[0].dataset",
        ),
        ({"materials": (replace(CONTENT.materials[1], type_code="1" * 21),)}, "materials[0].type_code"),
        ({"materials": (replace(CONTENT.materials[0], party="aunt"),)}, "materials[0].party"),
        ({"parties": (CONTENT.parties[0], CONTENT.parties[0])}, "parties[0].role"),
        ({"name": ""}, "name"),
        ({"consumers": (999_999,)}, "consumers"),
    ],
)
def test_faults_of_a_draft_are_told_by_field(scene: Scene, now: datetime, change: dict[str, Any], field: str) -> None:
    content: Content = replace(CONTENT, **change)
    with pytest.raises(Invalid) as caught:
        definition.draft(code="faulty", content=content, actor=scene.city.actor("police_operator"), now=now)
    assert field in caught.value.details


def test_clerk_fetches_under_the_grants_of_the_own_department_alone(scene: Scene, now: datetime) -> None:
    scenes.make_person(scene.city.police, MOTHER)
    scene.grant(scene.people, ("name",))
    clerk = scene.city.actor("education_operator")
    made = fetch_at_desk(ask=ask(key="desk:1"), system_uid=scene.system.uid, actor=clerk, now=now)
    assert states(parts_of(made))["identity"] == "FOUND"
    assert made.fetch.actor_id == clerk.user_id
    with pytest.raises(NotFound):
        fetch_at_desk(ask=ask(), system_uid=scene.system.uid, actor=scene.city.actor("market_operator"), now=now)
    with pytest.raises(Forbidden):
        fetch_at_desk(ask=ask(), system_uid=scene.system.uid, actor=scene.city.actor("education_head"), now=now)


def test_page_tells_which_grants_are_there_and_what_to_ask_for(scene: Scene, now: datetime) -> None:
    matter = scenes.publish(
        scene.city, "birth", replace(scenes.without(CONTENT, "photo"), consumers=(scene.system.department_id,)), now
    )
    scene.grant(scene.people, ("name", "sex", "birth_on"))
    scene.grant(scene.licenses, ("number",))
    by_department = {line.department.pk: line for line in coverage.lines(matter, now)}
    own = {one.material.code: one.state for one in by_department[scene.system.department_id].standings}
    assert own == {"identity": "COVERED", "marriage": "PARTLY", "birth": "COVERED", "father_identity": "COVERED"}
    police = by_department[scene.city.police.pk].standings
    assert {one.state for one in police} == {"MISSING"}
    uid, items = coverage.offered(matter, "marriage") or (None, ())
    assert (uid, set(items)) == (scene.licenses.uid, {"number", "issued_on", "face"})


def test_saved_materials_are_counted_by_month(scene: Scene, now: datetime) -> None:
    scenes.make_person(scene.city.police, MOTHER)
    scene.grant(scene.people, ("name",))
    answered(scene, now)
    for _again in range(2):
        figures.measure(now=now)
    (line,) = figures.by_month(since=now.date().replace(day=1))
    assert (line.saved, line.missed) == (1, 2)
    assert figures.by_matter(since=now.date().replace(day=1)) == [
        ("birth", {"FOUND": 1, "REFUSED_NO_GRANT": 2, "TO_SUBMIT": 1, "NOT_NEEDED": 1})
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    granted=st.lists(st.sampled_from(LICENSE_ITEMS), min_size=1, unique=True),
    wanted=st.lists(st.sampled_from(LICENSE_ITEMS[:-1]), min_size=1, unique=True),
    has_face=st.booleans(),
)
def test_answer_holds_nothing_beyond_grant_and_material(
    scene: Scene, granted: list[str], wanted: list[str], has_face: bool
) -> None:
    if not MatterCase.objects.exists():
        scenes.make_license(scene.city.police, MARRIAGE, MOTHER)
    number = MatterCase.objects.count() + 1
    items = (*wanted, "face.登记机关") if has_face else tuple(wanted)
    content = replace(CONTENT, materials=(replace(CONTENT.materials[1], items=items),))
    scenes.publish(scene.city, f"m{number}", content, timezone.now())
    grant = scene.grant(scene.licenses, granted)
    part = answered(scene, matter=f"m{number}", case_number=f"P-{number}", key=f"p{number}")["marriage"]
    grant.state = "REVOKED"
    grant.save(update_fields=["state"])
    allowed = {item for item in items if item.split(".")[0] in granted}
    if not allowed:
        assert part["state"] == "REFUSED_NO_GRANT"
        return
    assert {name for one in part["answer"]["items"] for name in one} == allowed
    assert set(part["missing_items"]) == set(items) - allowed
    assert "密" not in json.dumps(part, ensure_ascii=False)


def test_parts_are_never_changed(scene: Scene) -> None:
    answered(scene)
    with pytest.raises(DatabaseError):
        MatterPart.objects.update(state=PartState.FOUND)
