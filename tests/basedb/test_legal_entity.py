"""Legal entities beside their own row: who may register them, successors, verification, old numbers, what their page reads."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from basedb.dictionary import ENTERPRISE, PERSON
from basedb.legal_entity import reading, verification
from basedb.models import EntitySuccession, EntityVerification, LifeEvent, ReviewMark
from basedb.population import checks
from basedb.population import reading as people
from tests.basedb.fact_rows import FIRM, GOOD, ME, RING, SHE, Row, citizen, collect, uscc
from tests.factories import City

TODAY = date(2026, 1, 1)
OLD, MIDDLE, NEW = uscc(1), uscc(2), uscc(3)


def firm(code: str, **values: str | None) -> Row:
    row: Row = {
        "uscc": code, "name": f"南京{code[-3:]}有限公司", "entity_kind": code[:2], "region_code": "320102",
        "established_on": "20100101", "registration_state": "1", "legal_representative": "王建国", "legal_representative_id": ME,
    }  # fmt: skip
    return row | values


def person(code: str, name: str, **values: str) -> Row:
    return {
        "citizen_id": code, "name": name, "sex": "1" if int(code[16]) % 2 else "2", "birth_on": code[6:14],
        "person_status": "0", "region_code": "320102",
    } | values  # type: ignore[return-value]  # fmt: skip


def register(city: City, *rows: Row) -> list[str]:
    return collect(ENTERPRISE, list(rows), department=city.market)[1]


def succeed(city: City, *pairs: tuple[str, str, str]) -> list[str]:
    rows: list[Row] = [{"uscc": old, "successor_key": new, "succession_kind": "1", "effective_on": day} for old, new, day in pairs]
    return collect("legal_entity.succession", rows, department=city.market)[1]


def key(code: str) -> bytes:
    return RING.subject_key(code)


def test_registrar_follows_from_the_first_character(city: City) -> None:
    assert register(city, firm(uscc(5, "12"))) == ["uscc.registrar"]
    _counts, refused = collect(
        ENTERPRISE, [firm(uscc(5, "12")), firm(uscc(6, "91"))], department=city.centre, collector="STAFFING", source="staffing"
    )
    assert refused == ["uscc.registrar"]


def test_successors_are_followed_to_the_living_ones(city: City) -> None:
    register(city, firm(OLD, registration_state="4", cancelled_on="20200101"), firm(MIDDLE), firm(NEW))
    assert succeed(city, (OLD, MIDDLE, "20200101"), (MIDDLE, NEW, "20230101")) == []
    line = reading.successors(key(OLD), as_of=TODAY)
    assert [(one.key, one.steps, one.is_last) for one in line] == [(key(MIDDLE).hex(), 1, False), (key(NEW).hex(), 2, True)]
    before = reading.successors(key(OLD), as_of=date(2022, 1, 1))
    assert [(one.key, one.is_last) for one in before] == [(key(MIDDLE).hex(), True)]


def test_split_has_several_successors(city: City) -> None:
    succeed(city, (OLD, MIDDLE, "20200101"), (OLD, NEW, "20200101"))
    assert {one.key for one in reading.successors(key(OLD), as_of=TODAY) if one.is_last} == {key(MIDDLE).hex(), key(NEW).hex()}


def test_circle_of_successors_is_refused(city: City) -> None:
    assert succeed(city, (OLD, OLD, "20200101")) == ["successor_key.circle"]
    assert succeed(city, (OLD, MIDDLE, "20200101")) == []
    assert succeed(city, (MIDDLE, NEW, "20210101"), (NEW, OLD, "20220101")) == ["successor_key.circle"] * 2
    assert EntitySuccession.objects.count() == 1


def test_database_refuses_a_circle_too(city: City) -> None:
    succeed(city, (OLD, MIDDLE, "20200101"))
    row = EntitySuccession.objects.values().get()
    row |= {"subject_key": row["successor_key"], "successor_key": row["subject_key"], "row_key": bytes(16)}
    row.pop("id"), row.pop("changed_xid")
    with pytest.raises(IntegrityError):
        EntitySuccession.objects.create(**row)


def verify(*codes: str) -> dict[str, EntityVerification]:
    verification.verify_entities(keys=[key(code) for code in codes] or None, subject_key=RING.subject_key, today=TODAY)
    found = {bytes(row.pk): row for row in EntityVerification.objects.all()}
    return {code: found[key(code)] for code in codes}


def test_entity_everybody_agrees_on_conforms(city: City) -> None:
    collect(PERSON, [person(ME, "王建国")], department=city.police)
    register(city, firm(FIRM))
    assert verify(FIRM)[FIRM].corroboration == "PARTIALLY"
    collect("legal_entity.tax_registration", [GOOD["legal_entity.tax_registration"]], department=city.centre)
    collect("legal_entity.insurance_registration", [GOOD["legal_entity.insurance_registration"]], department=city.education)
    outcome = verify(FIRM)[FIRM]
    assert (outcome.state, outcome.corroboration, outcome.reasons) == ("CONFORMING", "FULLY", [])
    assert outcome.validated_by == ["PUBLIC_SECURITY", "TAX", "SOCIAL_SECURITY"]


def test_dead_unknown_or_other_representative_is_questioned(city: City) -> None:
    he, she, other = citizen(1), citizen(2), citizen(3)
    collect(PERSON, [person(he, "王建国", person_status="9"), person(other, "张三")], department=city.police)
    register(
        city,
        firm(OLD, legal_representative_id=he),
        firm(MIDDLE, legal_representative_id=she),
        firm(NEW, legal_representative_id=other),
        firm(FIRM, legal_representative_id=None, legal_representative=None),
    )
    outcomes = verify(OLD, MIDDLE, NEW, FIRM)
    assert {code: row.reasons for code, row in outcomes.items()} == {
        OLD: ["REPRESENTATIVE_DEAD"],
        MIDDLE: ["REPRESENTATIVE_UNKNOWN"],
        NEW: ["REPRESENTATIVE_NAME"],
        FIRM: [],
    }
    assert outcomes[FIRM].corroboration == "REGISTRAR_ONLY"


def test_cancelled_entity_holds_nothing_live_and_a_revoked_one_may(city: City) -> None:
    register(city, firm(FIRM, registration_state="2"))
    collect("legal_entity.tax_registration", [GOOD["legal_entity.tax_registration"]], department=city.centre)
    assert "LIVE_TAX_REGISTRATION" not in verify(FIRM)[FIRM].reasons
    assert not ReviewMark.objects.exists()
    register(city, firm(FIRM, registration_state="3", cancelled_on="20250101"))
    assert "LIVE_TAX_REGISTRATION" in verify(FIRM)[FIRM].reasons
    assert [(mark.holding, mark.owner) for mark in ReviewMark.objects.all()] == [("legal_entity.tax_registration", city.centre)]
    assert sorted(LifeEvent.objects.values_list("kind", "turn")) == [("C2", 1), ("C2", 2), ("C4", 1)]


def test_checking_again_changes_nothing(city: City) -> None:
    register(city, firm(OLD), firm(NEW))
    assert verification.verify_entities(keys=None, subject_key=RING.subject_key, today=TODAY) == 2
    assert verification.verify_entities(keys=None, subject_key=RING.subject_key, today=TODAY) == 0


def test_every_reason_has_a_sentence() -> None:
    assert verification.title_of("REPRESENTATIVE_DEAD") == "法定代表人已死亡或注销户口"
    assert verification.title_of("SOMETHING") == "SOMETHING"


def test_old_number_belongs_to_one_entity(city: City) -> None:
    row = GOOD["legal_entity.legacy_identifier"]
    collect("legal_entity.legacy_identifier", [row], department=city.market)
    assert reading.entity_of_legacy("1", row["legacy_number"] or "") == key(FIRM)
    assert reading.entity_of_legacy("3", row["legacy_number"] or "") is None


def test_people_of_an_entity_and_entities_of_a_person(city: City) -> None:
    collect(PERSON, [person(SHE, "李红")], department=city.police)
    register(city, firm(FIRM), firm(uscc(4712)))
    collect("legal_entity.officer", [GOOD["legal_entity.officer"] | {"person_key": SHE}], department=city.market)
    collect("legal_entity.shareholder", [GOOD["legal_entity.shareholder"] | {"holder_key": SHE}], department=city.market)
    collect("legal_entity.branch", [GOOD["legal_entity.branch"] | {"parent_key": uscc(4712)}], department=city.market)
    assert [fact.values["name"] for fact in reading.officers(key(FIRM))] == ["李红"]
    assert [fact.values["name"] for fact in reading.shareholders(key(FIRM))] == ["李红"]
    assert sorted(fact.values["role"] for fact in people.roles(key(SHE))) == ["", "01"]
    assert [fact.values["uscc"] for fact in reading.branches(key(uscc(4712)))] == [FIRM]
    assert len(reading.parents(key(FIRM))) == 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM basedb_sourcerecord WHERE payload::text LIKE %s AND payload ? 'uscc'", [f"%{SHE}%"])
        assert cursor.fetchone() == (0,), "no number of an officer is kept"


def test_household_residence_and_events_of_a_person(city: City) -> None:
    collect(PERSON, [person(ME, "王建国"), person(SHE, "李红")], department=city.police)
    collect("population.household", [GOOD["population.household"] | {"head_key": SHE}], department=city.police)
    member = GOOD["population.household_member"]
    collect(
        "population.household_member",
        [member, member | {"citizen_id": SHE, "household_relation": "02"}],
        department=city.police,
    )
    collect("population.residence", [GOOD["population.residence"]], department=city.police)
    assert [fact.values["name"] for fact in people.household_members(key(ME))] == ["李红", "王建国"]
    home = people.household(key(ME))
    assert home is not None
    assert home.values["head_key"] == key(SHE).hex()
    assert [fact.values["moved_in_on"] for fact in people.residences(key(ME))] == [date(2005, 1, 1)]
    assert people.vital_events(key(ME)) == people.names(key(ME)) == people.identifiers(key(ME)) == people.attributes(key(ME)) == []


def test_marriage_told_by_one_side_only_is_found(city: City) -> None:
    mine = GOOD["population.vital_event"] | {"partner_key": SHE}
    collect("population.vital_event", [mine], department=city.centre)
    assert [(row.checked, row.failed) for row in checks.one_sided_marriages()] == [(1, 1)]
    collect("population.vital_event", [mine, mine | {"citizen_id": SHE, "partner_key": ME}], department=city.centre)
    assert [(row.checked, row.failed) for row in checks.one_sided_marriages()] == [(2, 0)]


@pytest.mark.parametrize(
    ("born", "is_minor", "is_child"),
    [
        (date(2012, 1, 2), True, True),
        (date(2012, 1, 1), True, False),
        (date(2008, 1, 2), True, False),
        (date(2008, 1, 1), False, False),
        (date(2008, 2, 29), True, False),
    ],
)
def test_minors_are_marked_to_the_day(db: None, born: date, is_minor: bool, is_child: bool) -> None:
    assert (checks.is_minor(born, TODAY), checks.is_child(born, TODAY)) == (is_minor, is_child)
    with connection.cursor() as cursor:
        below = [checks.age_below_sql("%s::date", years, "%s::date") for years in (18, 14)]
        cursor.execute(f"SELECT {', '.join(below)}", [TODAY, born, TODAY, born])
        assert cursor.fetchone() == (is_minor, is_child)
    assert timezone.now() is not None
