"""Ingest: what is good goes in with its provenance, what is not is kept with its reason, and twice is once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from basedb import ingest
from basedb.dictionary import DATASETS, ENTERPRISE, PERSON
from basedb.identifiers import generate_citizen_id, generate_uscc
from basedb.ingest import Counts, Intake, RejectSink
from basedb.models import DataSource, LegalEntity, Person, SourceRecord
from basedb.staging import BETWEEN, JoinedRow, RawRow
from core.crypto import KeyRing
from tests.factories import City

FIELDS = ("citizen_id", "name", "sex", "birth_on", "person_status", "region_code", "address")
SINK = RejectSink("INSERT INTO rejects SELECT * FROM rejected", ())
_TABLES = itertools.count()
RING = KeyRing(current=1, keys={1: bytes(32)}, pepper=bytes(range(32)))


@pytest.fixture
def rejects(city: City) -> None:
    """A place for rejected rows; the room above has a real table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE rejects (number bigint, line_number bigint, related_line bigint, source_key text,"
            " rule text, field text, raw jsonb) ON COMMIT DROP"
        )


def _rejected() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT line_number, related_line, rule, field, raw::text FROM rejects ORDER BY number")
        return [(*row[:4], json.loads(row[4])) for row in cursor.fetchall()]


def person(serial: int, **values: str | None) -> tuple[str | None, ...]:
    row: dict[str, str | None] = {
        "citizen_id": generate_citizen_id("990101", date(1980, 5, 6), serial),
        "name": f"张{serial}",
        "sex": "1" if serial % 2 else "2",
        "birth_on": "1980-05-06",
        "person_status": "0",
        "region_code": "320102",
        "address": "玄武区某路1号",
    }
    return tuple((row | values)[name] for name in FIELDS)


def numbered(rows: Iterable[tuple[str | None, ...]]) -> list[RawRow]:
    return [RawRow(n, values, line_number=n + 1, source_key=str(n)) for n, values in enumerate(rows, start=1)]


def intake(city: City, **values: Any) -> Intake:
    given: dict[str, Any] = {
        "dataset": PERSON,
        "fields": FIELDS,
        "run_id": 1,
        "subject_key": RING.subject_key,
        "rejects": SINK,
        "today": date(2026, 1, 1),
        "now": timezone.now(),
    }
    given |= values
    return Intake(**{"source": source_of(city, given["dataset"].code)} | given)


def source_of(city: City, dataset: str, **values: Any) -> DataSource:
    """The source of a dataset the tests load from; more of them have codes of their own."""
    given = {"code": dataset, "title": "测试数源", "dataset": dataset, "department": city.police, "collector": "PUBLIC_SECURITY"}
    given |= values
    return DataSource.objects.get_or_create(code=given["code"], defaults=given)[0]


def load(job: Intake, rows: Iterable[RawRow | JoinedRow]) -> Counts:
    """One batch, with a table name of its own: the tests share one transaction."""
    with transaction.atomic():
        return ingest.merge(job, ingest.stage(job, f"test_{next(_TABLES)}", rows))


def test_good_rows_become_people_with_their_source(city: City, rejects: None) -> None:
    assert load(intake(city), numbered(person(n) for n in range(1, 6))) == Counts(read=5, accepted=5, changed=5, rejected=0)
    one = Person.objects.get(name="张3")
    record = SourceRecord.objects.get(pk=one.source_record_id)
    assert one.birth_on == date(1980, 5, 6)
    assert bytes(one.subject_key) == RING.subject_key(one.citizen_id) == bytes(record.subject_key or b"")
    assert (one.source_department, one.run_id, one.version, record.source_key) == (city.police, 1, 1, "3")
    assert record.payload["birth_on"] == "19800506"  # in standard writing
    assert record.chain == record.pk


def test_same_rows_again_change_nothing(city: City, rejects: None) -> None:
    rows = numbered(person(n) for n in range(1, 6))
    load(intake(city), rows)
    before = list(Person.objects.order_by("id").values())
    assert load(intake(city, run_id=2), rows) == Counts(read=5, accepted=5, changed=0, rejected=0, unchanged=5)
    assert list(Person.objects.order_by("id").values()) == before
    assert SourceRecord.objects.count() == 5


def test_row_told_as_one_text_is_the_same_row(city: City, rejects: None) -> None:
    told = [JoinedRow(n, BETWEEN.join([*(value or "" for value in person(n)), "2025-01-01", ""]), str(n)) for n in (1, 2)]
    apart = [RawRow(n, person(n), source_key=str(n), valid_from="2025-01-01") for n in (1, 2)]
    load(intake(city), told[:1])
    assert load(intake(city, run_id=2), apart) == Counts(read=2, accepted=2, changed=1, rejected=0, unchanged=1)
    assert load(intake(city, run_id=3), told) == Counts(read=2, accepted=2, changed=0, rejected=0, unchanged=2)
    ended = JoinedRow(1, told[0].text + "gone", "1")
    assert load(intake(city, run_id=4), [ended]).deleted == 1


def test_changed_row_gets_a_new_version_and_a_new_source_record(city: City, rejects: None) -> None:
    load(intake(city), numbered([person(1), person(2)]))
    changed = numbered([person(1), person(2, address="秦淮区某路2号")])
    assert load(intake(city, run_id=2), changed) == Counts(read=2, accepted=2, changed=1, rejected=0, unchanged=1)
    assert Person.objects.get(name="张1").version == 1
    moved = Person.objects.get(name="张2")
    assert (moved.version, moved.run_id, moved.address) == (2, 2, "秦淮区某路2号")
    old, left, new = SourceRecord.objects.filter(subject_key=moved.subject_key).order_by("known", "valid")
    assert (old.known.upper, left.known.lower, new.known.lower) == (new.received_at,) * 3
    assert (old.valid.upper, left.valid.upper, new.valid.upper) == (None, new.valid.lower, None)
    assert left.payload == old.payload != new.payload
    assert {old.chain, left.chain, new.chain} == {old.pk}


def test_supplement_needs_no_more_than_the_subject_and_leaves_the_rest_alone(city: City, rejects: None) -> None:
    load(intake(city), numbered([person(1), person(2)]))
    doctor = source_of(city, PERSON.code, code="doctor", collector="HEALTH", is_lead=False)
    fields = ("citizen_id", "phone")
    rows = [RawRow(1, (person(1)[0], "13900000001"), source_key="a"), RawRow(2, ("", "13900000002"), source_key="b")]
    counts = load(intake(city, fields=fields, source=doctor, run_id=2), rows)
    assert counts == Counts(read=2, accepted=1, changed=1, rejected=1)
    assert _rejected()[0][2] == "citizen_id.required"
    assert Person.objects.values_list("name", "address", "phone").get(name="张1") == ("张1", "玄武区某路1号", "13900000001")


def test_broken_rows_are_kept_with_rule_field_line_and_raw_row(city: City, rejects: None) -> None:
    rows = numbered([person(1), person(2, name=""), person(3, birth_on="昨天")])
    rows.append(RawRow(4, (), line_number=5, fault=ingest.BROKEN_COLUMNS, damaged="1,2"))
    rows.append(RawRow(5, person(1), line_number=6, fault="citizen_id.duplicate", related_line=2))
    assert load(intake(city), rows) == Counts(read=5, accepted=1, changed=1, rejected=4)
    kept = _rejected()
    assert [row[:4] for row in kept] == [
        (3, None, "name.required", "name"),
        (4, None, "birth_on.format", "birth_on"),
        (5, None, "row.columns", ""),
        (6, 2, "citizen_id.duplicate", "citizen_id"),
    ]
    assert kept[1][4]["birth_on"] == "昨天"
    assert kept[2][4] == {"_row": "1,2"}


def test_newest_of_two_rows_with_one_key_wins(city: City, rejects: None) -> None:
    rows = numbered([person(1, name="旧"), person(2), person(1, name="新")])
    rows[2] = rows[2]._replace(source_key="1")
    assert load(intake(city), rows) == Counts(read=3, accepted=3, changed=2, rejected=0, unchanged=1)
    assert sorted(Person.objects.values_list("name", flat=True)) == ["张2", "新"]


def test_row_from_before_a_newer_change_is_refused(city: City, rejects: None, now: datetime) -> None:
    load(intake(city), numbered([person(1)]))
    old = [row._replace(as_of=now - timedelta(days=1)) for row in numbered([person(1, name="旧"), person(2, name="早")])]
    assert load(intake(city, run_id=2), old) == Counts(read=2, accepted=1, changed=1, rejected=1)
    assert sorted(Person.objects.values_list("name", flat=True)) == ["张1", "早"]
    assert _rejected()[0][2] == ingest.SUPERSEDED


def test_awkward_text_arrives_unchanged(city: City, rejects: None) -> None:
    awkward = "a\"b,c\\N\\. \\. ' 100% %s"
    load(intake(city), numbered([person(1, address=awkward), person(2, address="\\N"), person(3, address="")]))
    addresses = dict(Person.objects.values_list("name", "address"))
    assert addresses == {"张1": awkward, "张2": "\\N", "张3": None}


def test_legal_entities_go_the_same_way(city: City, rejects: None) -> None:
    fields = (
        "uscc",
        "name",
        "entity_kind",
        "region_code",
        "registered_capital",
        "currency",
        "established_on",
        "registration_state",
    )
    rows = [
        RawRow(n, (generate_uscc(n, region="990101"), f"第{n}公司", "91", "320102", "1,000.5", "156", "2010年01月01日", "1"))
        for n in (1, 2, 3)
    ]
    counts = load(intake(city, dataset=ENTERPRISE, fields=fields), rows)
    assert (_rejected(), counts.changed) == ([], 3)
    assert str(LegalEntity.objects.get(name="第2公司").registered_capital) == "1000.500000"


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.code)
def test_base_table_can_hold_what_the_contract_allows(dataset: Any) -> None:
    model = next(model for model in apps.get_models() if model._meta.db_table == dataset.table)
    for field in dataset.fields:
        column: Any = model._meta.get_field(field.name)
        length = field.length // 2 if field.link else field.length  # keys travel as hex
        assert not column.max_length or column.max_length >= length, field.name
        assert column.null or field.required, field.name


@pytest.mark.django_db(transaction=True)
def test_worker_role_may_do_all_this_and_not_truncate(city: City) -> None:
    words = json.loads(settings.ROLES_FILE.read_text())
    source_of(city, PERSON.code)
    place = connection.settings_dict
    worker = psycopg2.connect(host=place["HOST"], port=place["PORT"], dbname=place["NAME"], user="worker", password=words["worker"])
    worker.autocommit = True  # as Django leaves a connection between transactions
    own, connection.connection = connection.connection, worker
    try:
        sink = RejectSink("SELECT count(*) FROM rejected", ())
        assert load(intake(city, rejects=sink), numbered(person(n) for n in range(1, 4))).changed == 3
        assert load(intake(city, rejects=sink), numbered(person(n, name="改") for n in range(1, 4))).changed == 3
        with pytest.raises(psycopg2.errors.InsufficientPrivilege), worker.cursor() as cursor:
            cursor.execute("TRUNCATE basedb_person")
    finally:
        worker.close()
        connection.connection = own
    assert Person.objects.count() == 3
