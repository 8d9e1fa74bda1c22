"""Legal entities beside their own row: who may register them, successors, verification, people in them."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from basedb.dictionary import ENTERPRISE, PERSON
from basedb.dossier import relations
from basedb.fusion import merging
from basedb.legal_entity import verification
from basedb.models import EntitySuccession, EntityVerification, LifeEvent, ReviewMark
from core.accounts import actor_of
from core.roles import Role
from tests.basedb.fact_rows import FIRM, GOOD, ME, RING, SHE, Row, citizen, collect, uscc
from tests.factories import City, make_user

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


def heirs_of(code: str, *, today: date = TODAY) -> list[tuple[str, int, bool]]:
    related = relations.of_entity([key(code)], [], today=today)
    return [(line["key"], line["steps"], line["is_last"]) for line in related.heirs]


def test_successors_are_followed_to_the_living_ones(city: City) -> None:
    register(city, firm(OLD, registration_state="4", cancelled_on="20200101"), firm(MIDDLE), firm(NEW))
    assert succeed(city, (OLD, MIDDLE, "20200101"), (MIDDLE, NEW, "20230101")) == []
    assert heirs_of(OLD) == [(key(MIDDLE).hex(), 1, False), (key(NEW).hex(), 2, True)]
    assert heirs_of(OLD, today=date(2022, 1, 1)) == [(key(MIDDLE).hex(), 1, True)]
    assert heirs_of(NEW) == []


def test_split_has_several_successors(city: City) -> None:
    succeed(city, (OLD, MIDDLE, "20200101"), (OLD, NEW, "20200101"))
    assert {heir for heir, _steps, is_last in heirs_of(OLD) if is_last} == {key(MIDDLE).hex(), key(NEW).hex()}


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


def test_numbers_of_people_in_an_entity_are_not_kept(city: City) -> None:
    collect(PERSON, [person(SHE, "李红")], department=city.police)
    register(city, firm(FIRM))
    collect("legal_entity.officer", [GOOD["legal_entity.officer"] | {"person_key": SHE}], department=city.market)
    collect("legal_entity.shareholder", [GOOD["legal_entity.shareholder"] | {"holder_key": SHE}], department=city.market)
    assert {line["officer_role"] for line in relations.of_person([key(SHE)], []).roles} == {"01", None}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM basedb_sourcerecord WHERE payload::text LIKE %s AND payload ? 'uscc'", [f"%{SHE}%"])
        assert cursor.fetchone() == (0,), "no number of an officer is kept"


def test_representative_whose_number_was_merged_into_another_is_known(city: City) -> None:
    old = citizen(1)
    collect(PERSON, [person(old, "王建国"), person(ME, "王建国")], department=city.police)
    register(city, firm(FIRM, legal_representative_id=old))
    clerk = actor_of(make_user("clerk", city.centre, Role.REVIEWER))
    proposal = merging.merge_entities(
        dataset=PERSON.code, entity_key=key(ME), other_key=key(old), reason="同一人两号", actor=clerk, now=timezone.now()
    )
    merging.confirm(uid=proposal.uid, actor=city.actor("reviewer"), now=timezone.now())
    assert merging.apply_due(clock=timezone.now) == 1
    outcome = verify(FIRM)[FIRM]
    assert (outcome.reasons, outcome.validated_by) == ([], ["PUBLIC_SECURITY"])
