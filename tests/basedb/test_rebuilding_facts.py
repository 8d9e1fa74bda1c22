"""Facts rebuilt from records alone are the facts deliveries left, whatever came in which order; what stands wrongly is mended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from basedb.dictionary import DATASETS, PERSON, Kind
from basedb.fusion.projecting import Projected
from basedb.intake.rebuilding import rebuild_facts
from basedb.models import EntityLegacyIdentifier, License, Person, VitalEvent
from core.models import Department
from tests.basedb.credit_facts import make_fact
from tests.basedb.credit_rows import BUREAU, good_row
from tests.basedb.fact_rows import GOOD, ME, RING, SHE, Row, collect, uscc
from tests.factories import City

LICENSE = "license.license"
OLD_NUMBER = "legal_entity.legacy_identifier"
START = datetime(2025, 1, 1, tzinfo=UTC)
NOT_COMPARED = {"id", "version", "changed_at", "changed_xid", "withdrawn_at"}
NOTHING = Projected()


def rebuilt(code: str, *, is_check: bool = False, part: int = 1) -> Projected:
    return rebuild_facts(dataset=DATASETS[code], clock=timezone.now, is_check=is_check, part=part)


def standing(code: str) -> list[dict[str, Any]]:
    """The facts that stand, without what counts changes."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {DATASETS[code].table} WHERE withdrawn_at IS NULL ORDER BY row_key")
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    told = [{name: value for name, value in row.items() if name not in NOT_COMPARED} for row in rows]
    return [{name: bytes(value) if isinstance(value, memoryview) else value for name, value in row.items()} for row in told]


def license_row(city: City, holder: str, number: str, issuer: str, state: str) -> Row:
    known: dict[str, Department] = {"market": city.market, "education": city.education}
    named = known.get(issuer)
    return good_row(
        LICENSE, holder_code=uscc(int(holder)), number=number, license_state=state,
        issuer=named.name if named else "某县市场监督管理局", issuer_code=named.code if named else BUREAU,
    )  # fmt: skip


def member_row(_city: City, holder: str, number: str, _issuer: str, state: str) -> Row:
    return GOOD["population.household_member"] | {
        "citizen_id": ME if holder == "1" else SHE, "household_number": f"9901010001234{number}", "joined_on": f"200501{state}",
    }  # fmt: skip


def old_number_row(_city: City, holder: str, number: str, _issuer: str, state: str) -> Row:
    return GOOD[OLD_NUMBER] | {
        "uscc": uscc(int(holder)),
        "legacy_number": f"32010000001234{number}",
        "valid_from": f"200501{state}",
    }


ROWS = {LICENSE: license_row, OLD_NUMBER: old_number_row, "population.household_member": member_row}
STEP = st.fixed_dictionaries(
    {
        "by": st.sampled_from(["market", "education", "centre"]),
        "key": st.sampled_from(["a", "b"]),
        "values": st.tuples(
            st.sampled_from(["1", "2"]),
            st.sampled_from(["1", "2"]),
            st.sampled_from(["market", "education", "county"]),
            st.sampled_from(["01", "01", "04", "06", "07"]),
        ),
        "day": st.none() | st.integers(0, 6),
        "gone": st.sampled_from([False, False, False, True]),
    }
)


@pytest.mark.parametrize("code", ROWS)
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(steps=st.lists(STEP, min_size=3, max_size=9))
def test_facts_rebuilt_are_the_facts_deliveries_left(city: City, code: str, steps: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        for step in steps:
            since = None if step["day"] is None else START + timedelta(days=step["day"])
            _counts, refused = collect(
                code, [ROWS[code](city, *step["values"])], department=getattr(city, step["by"]), key=step["key"], since=since,
                gone=step["gone"],
            )  # fmt: skip
            assert refused == []
        left = standing(code)
        assert rebuilt(code, is_check=True, part=2) == NOTHING
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {DATASETS[code].table}")
        assert rebuilt(code) == Projected(added=len(left))
        assert standing(code) == left
        transaction.set_rollback(True)


def test_every_kind_of_fact_is_found_as_it_was_delivered(city: City) -> None:
    collect(PERSON, [BORN], department=city.police)
    rows = dict(GOOD) | {code: good_row(code) for code in DATASETS if code.startswith("credit.") or code == LICENSE}
    rows["geo.division"] = {
        "division_code": "320103000000", "division_level": "COUNTY", "valid_from": "19500101", "datum": "CGCS2000",
        "area_km2": "24.6",
        "outline": "SRID=4547;POLYGON((664000 3546000,664100 3546000,664100 3546100,664000 3546100,664000 3546000))",
    }  # fmt: skip
    for code, row in rows.items():
        collector = "EDUCATION" if code == "population.attribute" else ""
        assert collect(code, [row], department=city.market, collector=collector)[1] == [], code
        assert rebuilt(code, is_check=True) == NOTHING, code
        assert len(standing(code)) == 1
    assert {dataset.code for dataset in DATASETS.values() if dataset.kind is Kind.FACT} - rows.keys() == {"geo.ownership"}


BORN: Row = {
    "citizen_id": ME, "name": "王建国", "sex": "1", "birth_on": "19800506", "person_status": "0", "region_code": "320102",
}  # fmt: skip


def test_check_counts_what_stands_wrongly_and_rebuilding_mends_it(city: City) -> None:
    for number in "123":
        collect(LICENSE, [license_row(city, "1", number, "county", "07")], department=city.centre, key=number)
        collect(LICENSE, [license_row(city, "1", number, "market", "01")], department=city.market, key=number)
    left = standing(LICENSE)
    overridden = License.objects.get(number="1")
    License.objects.filter(number="1").update(source_record_id=overridden.source_record_id - 1, license_state="07")
    License.objects.filter(number="2").delete()
    License.objects.filter(number="3").update(title="他证")
    make_fact(LICENSE, city.market, number="4")
    wrong = Projected(added=1, changed=2, withdrawn=1)
    assert rebuilt(LICENSE, is_check=True) == rebuilt(LICENSE, is_check=True, part=100) == wrong
    with pytest.raises(CommandError, match="4 differences"):
        call_command("rebuild_base", LICENSE, "--check", "--part", "2")
    assert rebuilt(LICENSE) == wrong
    assert standing(LICENSE) == left
    assert License.objects.get(number="1").version == overridden.version + 1
    call_command("rebuild_base", LICENSE, "--check")


def test_old_number_goes_to_the_other_entity_that_tells_it_when_the_standing_record_ends(city: City) -> None:
    first, second = (GOOD[OLD_NUMBER] | {"uscc": uscc(serial)} for serial in (1, 2))
    collect(OLD_NUMBER, [first], department=city.market, key="a")
    collect(OLD_NUMBER, [second], department=city.market, key="b")
    collect(OLD_NUMBER, [second], department=city.market, key="b", gone=True)
    owner = EntityLegacyIdentifier.objects.get(withdrawn_at=None)
    assert (owner.uscc, bytes(owner.subject_key)) == (first["uscc"], RING.subject_key(str(first["uscc"])))
    collect(OLD_NUMBER, [first], department=city.market, key="a", gone=True)
    assert not EntityLegacyIdentifier.objects.filter(withdrawn_at=None).exists()


def test_what_follows_a_fact_follows_when_it_is_rebuilt(city: City) -> None:
    collect(PERSON, [BORN], department=city.police)
    collect(
        "population.vital_event", [{"citizen_id": ME, "vital_event": "20", "occurred_on": "20250301"}], department=city.education
    )
    VitalEvent.objects.all().delete()
    Person.objects.update(person_status="0", died_on=None)
    assert rebuilt("population.vital_event") == Projected(added=1)
    assert Person.objects.get().person_status == "9"
