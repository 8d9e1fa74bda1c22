"""Dossiers: at most six queries, who sees what, masks, purpose, audit and what the subject is told; other moments; merges."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from basedb.dictionary import PERSON
from basedb.fusion import merging
from basedb.models import NameUsage
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from core.roles import Role
from exchange import accesses
from exchange.dossiers import opening
from exchange.dossiers.opening import open_dossier, open_related
from exchange.dossiers.reading import Dossier, read_dossier, read_history, read_section
from exchange.dossiers.rights import DossierKind, Purpose, Reason
from tests.basedb.fact_rows import GOOD, citizen
from tests.exchange import dossier_scene as scene
from tests.exchange.dossier_scene import ADDRESS, COMPARISON, FOR_MATTER, ME, OTHER, PHONE, SHE, key
from tests.factories import City, make_user

P = DossierKind.PERSON


def read(city: City, who: str | Actor = "reviewer", purpose: Purpose = COMPARISON, **more: Any) -> Dossier:
    values = {"kind": P, "entity_key": key(ME), "now": timezone.now()} | more
    actor = city.actor(who) if isinstance(who, str) else who
    return read_dossier(actor=actor, purpose=purpose, **values)


def texts(dossier: Dossier) -> dict[str, str]:
    return {value.name: value.said.text for value in dossier.identity if value.said}


def asked(queries: CaptureQueriesContext) -> list[str]:
    """The statements that ask something; what opens and ends transactions and the audit's own row are counted apart."""
    apart = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", 'INSERT INTO "core_auditentry"')
    return [query["sql"] for query in queries.captured_queries if not query["sql"].startswith(apart)]


def test_person_with_everything_filled_takes_six_queries(city: City) -> None:
    scene.make_person(city)
    reviewer = city.actor("reviewer")  # every page asks who is at the door
    with CaptureQueriesContext(connection) as queries:
        dossier = read(city, reviewer)
    assert len(asked(queries)) <= 6, asked(queries)
    assert sum(query["sql"].startswith("INSERT") for query in queries.captured_queries) == 1
    assert {section.code for section in dossier.sections} == {
        f"population.{name}" for name in ("name_usage", "identifier", "household_member", "residence", "vital_event", "attribute")
    }
    related, holdings = dossier.relations, dossier.holdings
    assert related is not None
    assert holdings is not None
    assert dossier.uses is not None
    assert [line["name"] for line in related.members] == ["王建国", "李小红"]
    assert related.household is not None
    assert [line["uscc"] for line in related.roles] == [scene.FIRM]
    assert (holdings.license_count, sum(holdings.credit_counts["credit.penalty"].values())) == (3, 3)
    assert [use.matter for use in dossier.uses] == ["入学报名"] * 3
    assert [line.related[0].name for s in dossier.sections if s.code == "population.vital_event" for line in s.lines] == ["李小红"]


def test_number_of_queries_does_not_grow_and_sections_are_bounded(city: City) -> None:
    scene.make_person(city)
    rows = [
        {
            "citizen_id": ME,
            "residence_kind": "2",
            "region_code": "320102",
            "address": f"示意路{n}号",
            "moved_in_on": f"20{n:02d}0101",
        }
        for n in range(25)
    ]
    scene.deliver("population.residence", rows, department=city.police)  # type: ignore[arg-type]
    reviewer = city.actor("reviewer")
    with CaptureQueriesContext(connection) as queries:
        dossier = read(city, reviewer)
    assert len(asked(queries)) <= 6
    section = next(section for section in dossier.sections if section.code == "population.residence")
    assert (section.total, len(section.lines), section.has_more) == (25, 20, True)
    whole = read_section(
        kind=P, entity_key=key(ME), dataset="population.residence", actor=city.actor("reviewer"), purpose=COMPARISON,
        now=timezone.now(),
    )  # fmt: skip
    assert len(whole.lines) == 25


def test_enterprise_takes_six_queries_and_keeps_states_apart(city: City) -> None:
    scene.make_person(city)
    scene.make_enterprise(city)
    reviewer = city.actor("reviewer")
    with CaptureQueriesContext(connection) as queries:
        dossier = read(city, reviewer, kind=DossierKind.ENTERPRISE, entity_key=key(scene.FIRM))
    assert len(asked(queries)) <= 6
    assert "registration_state" in texts(dossier)
    assert dossier.relations is not None
    assert [line["uscc"] for line in dossier.relations.branches] == [scene.CHILD_FIRM]
    assert [(line["uscc"], line["is_last"]) for line in dossier.relations.heirs] == [(scene.CHILD_FIRM, False), (scene.HEIR, True)]
    officers = next(section for section in dossier.sections if section.code == "legal_entity.officer")
    assert [(who.name, who.kind) for who in officers.lines[0].related] == [("王建国", P)]


def test_every_value_has_its_source_date_and_rule_and_doubt_is_marked(city: City) -> None:
    scene.make_person(city)
    dossier = read(city)
    address = next(value for value in dossier.identity if value.name == "address")
    assert address.said is not None
    assert address.is_doubtful
    assert (address.said.text, address.said.department, address.said.is_chosen) == (ADDRESS, "市公安局", True)
    assert address.said.received_at <= dossier.read_at
    assert address.strategy
    attribute = next(section for section in dossier.sections if section.code == "population.attribute")
    assert "大学本科教育" in attribute.lines[0].cells, "coded by its kind"
    assert [(other.text, other.department) for other in address.others] == [("另一路二号", "市市场监督管理局")]
    assert [value.name for value in dossier.doubtful] == ["address"]


def test_death_a_hospital_reports_lies_over_what_the_police_say_with_its_source(city: City) -> None:
    scene.make_person(city)
    died = {"citizen_id": ME, "vital_event": "20", "occurred_on": "20250301", "certificate_number": "S1"}
    scene.deliver("population.vital_event", [died], department=city.education, source="hospital")
    told = {value.name: value for value in read(city).identity}
    state, day = told["person_status"].said, told["died_on"].said
    assert state is not None
    assert day is not None
    assert (state.text, state.department, day.text) == ("死亡", "市教育局", "2025-03-01")
    assert [(other.text, other.department) for other in told["person_status"].others] == [("有效", "市公安局")]
    assert texts(read(city, as_of=timezone.now() - timedelta(days=1))).get("died_on") is None


def test_of_two_records_of_a_fact_the_dossier_tells_the_one_the_base_has(city: City) -> None:
    scene.make_person(city)
    now = timezone.now()
    for since, department, used_from in ((now, city.police, "19900101"), (now - timedelta(days=900), city.market, "19910101")):
        row = GOOD["population.name_usage"] | {"citizen_id": ME, "used_name": "王大国", "used_from": used_from}
        scene.deliver("population.name_usage", [row], department=department, source=f"names.{department.pk}", since=since)
    usage = next(section for section in read(city).sections if section.code == "population.name_usage")
    base = NameUsage.objects.get(used_name="王大国").used_from
    assert [line.cells for line in usage.lines if f"{base:%Y-%m-%d}" in line.cells]


def test_sensitive_values_are_masked_unless_reviewers_compare(city: City) -> None:
    scene.make_person(city)
    assert texts(read(city))["phone"] == PHONE
    for who, purpose in (("reviewer", FOR_MATTER), ("reviewer", Purpose(Reason.SUPERVISION, "1")), ("centre_head", COMPARISON)):
        if who == "centre_head":
            city.people[who] = make_user(who, city.centre, Role.HEAD)
        dossier = read(city, who, purpose)
        told = repr((dossier.identity, dossier.sections, dossier.holdings))
        for secret in (PHONE, ME, ADDRESS, "EA1234567", "珠江路1号", "另一路二号"):
            assert secret not in told, (who, secret)
        assert texts(dossier)["name"] == "王建国"
        assert texts(dossier)["ethnicity"] == "******", "sensitive without a mask of its own"
        assert any(value.others for value in dossier.identity) is (who == "reviewer")


def test_department_sees_what_it_delivered_and_nothing_else(city: City) -> None:
    scene.make_person(city)
    police = read(city, "police_operator", FOR_MATTER)
    assert texts(police)["phone"] == PHONE
    assert not any(value.others for value in police.identity)
    assert {line.department for section in police.sections for line in section.lines} == {"市公安局"}
    assert (police.uses, police.relations) == (None, None)
    assert police.holdings is not None
    assert police.holdings.licenses == []
    market = read(city, "market_head", FOR_MATTER)
    assert set(texts(market)) == {"citizen_id", "name", "address"}
    assert (texts(market)["address"], ADDRESS in repr(market)) == ("另一路二号", False)
    address = next(value for value in market.identity if value.name == "address")
    assert address.said is not None
    assert not address.said.is_chosen
    assert market.holdings is not None
    assert market.holdings.license_count == 3
    education = read(city, "education_operator", FOR_MATTER)
    assert education.identity == []
    assert {section.code for section in education.sections} == {"population.vital_event", "population.attribute"}
    assert "李小红" not in repr(education)


@pytest.mark.parametrize("who", ["auditor", "system_admin", "security_admin", "centre_operator"])
def test_others_are_refused_at_every_door(city: City, who: str) -> None:
    scene.make_person(city)
    city.people["centre_operator"] = make_user("centre_operator", city.centre, Role.OPERATOR)
    actor, now = city.actor(who), timezone.now()
    with pytest.raises(Forbidden):
        open_dossier(kind=P, identifier=ME, purpose=COMPARISON, actor=actor, now=now)
    with pytest.raises(Forbidden):
        read(city, who)
    with pytest.raises(Forbidden):
        read_history(kind=P, entity_key=key(ME), name="phone", actor=actor, purpose=COMPARISON, now=now)
    with pytest.raises(Forbidden):
        read_section(kind=P, entity_key=key(ME), dataset="population.residence", actor=actor, purpose=COMPARISON, now=now)


def test_department_that_delivers_nothing_opens_nothing(city: City) -> None:
    scene.deliver(PERSON, [scene.person(ME, "王建国")], department=city.police)
    with pytest.raises(Forbidden) as refused:
        open_dossier(kind=P, identifier=ME, purpose=FOR_MATTER, actor=city.actor("market_operator"), now=timezone.now())
    assert refused.value.code == "dossier.nothing_delivered"


def test_department_cannot_tell_whether_somebody_it_delivered_nothing_about_is_known(city: City) -> None:
    scene.make_person(city)
    market, now = city.actor("market_operator"), timezone.now()
    for identifier in (SHE, OTHER):
        assert open_dossier(kind=P, identifier=identifier, purpose=FOR_MATTER, actor=market, now=now) is None
    assert AuditEntry.objects.filter(action=opening.MISSED).count() == 2


@pytest.mark.parametrize(
    ("identifier", "purpose", "wrong"),
    [
        ("123", COMPARISON, "identifier"),
        (ME, Purpose("", "1"), "reason"),
        (ME, Purpose(Reason.MATTER, ""), "matter"),
        (ME, Purpose(Reason.MATTER, f"查{SHE}"), "matter"),
    ],
)
def test_purpose_is_required_and_faults_repeat_nothing(city: City, identifier: str, purpose: Purpose, wrong: str) -> None:
    with pytest.raises(Invalid) as refused:
        open_dossier(kind=P, identifier=identifier, purpose=purpose, actor=city.actor("reviewer"), now=timezone.now())
    assert set(refused.value.details) == {wrong}
    assert ME not in str(refused.value.details)
    assert SHE not in str(refused.value.details)


def test_opening_is_audited_by_digest_alone_and_told_to_the_subject(city: City) -> None:
    scene.make_person(city)
    reviewer = city.actor("reviewer")
    opened = open_dossier(kind=P, identifier=ME, purpose=COMPARISON, actor=reviewer, now=timezone.now())
    assert opened is not None
    assert opened.entity_key == key(ME)
    dossier = read(city)
    entries = AuditEntry.objects.filter(object_uid=key(ME).hex()).order_by("id")
    assert [entry.action for entry in entries] == [accesses.DOSSIER_OPENED, "dossier.read"]
    for entry in entries:
        kept = json.dumps(entry.detail, ensure_ascii=False) + entry.object_title
        assert not any(secret in kept for secret in (ME, "王建国", PHONE))
        assert entry.detail["matter"] == scene.MATTER
    assert dossier.uses is not None
    assert dossier.uses[0].is_dossier
    question = accesses.Question(ME, "APPLICATION", "IN_PERSON", "S-1")
    told = accesses.ask(question=question, actor=reviewer, now=timezone.now())
    assert [(seen.department, seen.reason, seen.matter) for seen in told.openings] == [
        (city.centre.name, Reason.COMPARISON, scene.MATTER)
    ]


def test_openings_of_a_day_are_limited(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "A_DAY", 2)
    scene.make_person(city)
    reviewer, now = city.actor("reviewer"), timezone.now()
    for identifier in (ME, OTHER):
        open_dossier(kind=P, identifier=identifier, purpose=COMPARISON, actor=reviewer, now=now)
    with pytest.raises(Conflict):
        open_related(kind=P, subject_key=key(SHE), purpose=COMPARISON, actor=reviewer, now=now)
    assert open_related(kind=P, subject_key=key(SHE), purpose=COMPARISON, actor=reviewer, now=now + timedelta(days=1))


def test_what_was_told_at_a_moment_is_told_again(city: City) -> None:
    scene.make_person(city)
    then = scene.moment_between()
    deliver = [scene.person(ME, "王建国", address="新路九号", phone="13900000000"), scene.person(SHE, "李小红")]
    scene.deliver(PERSON, deliver, department=city.police)
    extra = {"citizen_id": ME, "attribute_kind": "EDUCATION", "attribute_value": "10", "valid_from": "20200701"}
    scene.deliver("population.attribute", [extra], department=city.education, collector="EDUCATION")  # type: ignore[list-item]
    assert (texts(read(city))["address"], texts(read(city))["phone"]) == ("新路九号", "13900000000")
    past = read(city, known_at=then)
    assert (texts(past)["address"], texts(past)["phone"]) == (ADDRESS, PHONE)
    totals = [{s.code: s.total for s in d.sections}["population.attribute"] for d in (past, read(city))]
    assert totals == [2, 3]
    assert past.is_past
    assert past.relations is None
    assert past.holdings is None
    assert not read(city, known_at=then - timedelta(days=900)).is_known
    history = read_history(
        kind=P, entity_key=key(ME), name="phone", actor=city.actor("reviewer"), purpose=COMPARISON,
        now=timezone.now(),
    )  # fmt: skip
    assert [text for text, version in history.lines if version.known_to is None][:1] == ["13900000000"]
    assert PHONE in {text for text, _version in history.lines}
    with pytest.raises(NotFound):
        read_history(
            kind=P, entity_key=key(ME), name="nothing", actor=city.actor("reviewer"), purpose=COMPARISON, now=timezone.now()
        )


def test_history_is_masked_and_kept_to_ones_own(city: City) -> None:
    scene.make_person(city)
    city.people["centre_head"] = make_user("centre_head", city.centre, Role.HEAD)

    def lines(who: str, purpose: Purpose = FOR_MATTER) -> list[tuple[str, str]]:
        told = read_history(kind=P, entity_key=key(ME), name="address", actor=city.actor(who), purpose=purpose, now=timezone.now())
        return [(text, version.department) for text, version in told.lines]

    assert {text for text, _ in lines("reviewer", COMPARISON)} == {ADDRESS, "另一路二号"}
    assert {text for text, _ in lines("reviewer")} == {"******"}
    assert {department for _, department in lines("centre_head")} == {"市公安局"}
    assert set(lines("market_operator")) == {("另一路二号", "市市场监督管理局")}


def test_merged_entity_shows_the_records_of_both_identifiers_and_unmerged_each_its_own(city: City) -> None:
    scene.make_person(city)
    scene.deliver(PERSON, [scene.person(OTHER, "王建国", phone="13700000000")], department=city.education, source="second")
    rows = [{"citizen_id": OTHER, "attribute_kind": "EDUCATION", "attribute_value": "30", "valid_from": "20210101"}]
    scene.deliver("population.attribute", rows, department=city.education, collector="EDUCATION")  # type: ignore[arg-type]
    before = scene.moment_between()

    def decided(propose: Any) -> None:
        asked_for = propose(
            dataset=PERSON.code, entity_key=key(ME), other_key=key(OTHER), reason="同一人两号",
            actor=city.actor("education_operator"), now=timezone.now(),
        )  # fmt: skip
        merging.confirm(uid=asked_for.uid, actor=city.actor("reviewer"), now=timezone.now())
        assert merging.apply_due(clock=timezone.now) == 1

    def attributes(**more: Any) -> int:
        return {section.code: section.total for section in read(city, **more).sections}["population.attribute"]

    assert attributes() == 2
    decided(merging.merge_entities)
    assert attributes() == 3
    assert set(read(city).keys) == {key(ME), key(OTHER)}
    assert attributes(known_at=before) == 2
    reviewer: Actor = city.actor("reviewer")
    opened = open_dossier(kind=P, identifier=OTHER, purpose=COMPARISON, actor=reviewer, now=timezone.now())
    assert opened is not None
    assert opened.is_merged
    assert opened.entity_key == key(ME)
    assert AuditEntry.objects.filter(action=accesses.DOSSIER_OPENED, object_uid=key(OTHER).hex()).exists()
    decided(merging.unmerge)
    assert attributes() == 2
    opened = open_dossier(kind=P, identifier=OTHER, purpose=COMPARISON, actor=reviewer, now=timezone.now())
    assert opened is not None
    assert opened.entity_key == key(OTHER)
    assert attributes(entity_key=key(OTHER)) == 1


def test_minors_are_marked_by_the_day_asked_about(city: City) -> None:
    born = timezone.localdate() - timedelta(days=13 * 366)
    child = citizen(131, born.replace(day=1))
    scene.deliver(PERSON, [scene.person(child, "王小明")], department=city.police)
    dossier = read(city, entity_key=key(child))
    assert dossier.is_minor
    assert dossier.is_child
    assert not read_dossier(
        kind=P, entity_key=key(OTHER), actor=city.actor("reviewer"), purpose=COMPARISON, now=timezone.now()
    ).is_minor
