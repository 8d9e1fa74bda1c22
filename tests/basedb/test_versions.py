"""Versions of a source row: whatever the order in which rows, late rows and ends arrive, the same line of pieces is left."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb import ingest
from basedb.dictionary import PERSON
from basedb.identifiers import generate_citizen_id
from basedb.ingest import Counts, Intake, RejectSink
from basedb.models import Crosswalk, DataSource, Person, SourceRecord
from basedb.staging import RawRow
from core.crypto import KeyRing
from tests.factories import City

FIELDS = ("citizen_id", "name", "sex", "birth_on", "person_status", "region_code", "address")
RING = KeyRing(current=1, keys={1: bytes(32)}, pepper=bytes(range(32)))
START = datetime(2025, 1, 1, tzinfo=UTC)
_TABLES = itertools.count()
_SOURCES = itertools.count()


def make_source(city: City, **values: Any) -> DataSource:
    given = {"title": "测试数源", "dataset": PERSON.code, "department": city.police, "collector": "PUBLIC_SECURITY"}
    return DataSource.objects.create(code=f"versions.{next(_SOURCES)}", **given | values)


def load(source: DataSource, rows: list[RawRow], now: datetime | None = None) -> Counts:
    intake = Intake(
        dataset=PERSON,
        source=source,
        fields=FIELDS,
        run_id=1,
        subject_key=RING.subject_key,
        rejects=RejectSink("SELECT count(*) FROM rejected", ()),
        today=date(2026, 1, 1),
        now=now or timezone.now(),
    )
    with transaction.atomic():
        return ingest.merge(intake, ingest.stage(intake, f"versions_{next(_TABLES)}", rows))


def row(serial: int, address: str, *, day: int | None = None, gone: bool = False, number: int = 1) -> RawRow:
    citizen_id = generate_citizen_id("990101", date(1980, 5, 6), serial)
    values = (citizen_id, f"张{serial}", "1" if serial % 2 else "2", "19800506", "0", "320102", address)
    since = (START + timedelta(days=day)).isoformat() if day is not None else None
    return RawRow(number, values, source_key=str(serial), valid_from=since, gone=gone)


def line_of(source: DataSource) -> list[tuple[str, Any, Any, Any]]:
    """The open pieces of a source: key, from, to, address; moments without contents only wait for their row."""
    pieces = SourceRecord.objects.filter(source=source, known__upper_inf=True).order_by("source_key", "valid")
    return [(piece.source_key, piece.valid.lower, piece.valid.upper, piece.payload["address"]) for piece in pieces if piece.payload]


@st.composite
def stories(draw: Any) -> tuple[list[RawRow], list[list[RawRow]]]:
    """Some rows and ends of two keys, each at a moment of its own; and the same, with repeats, in any order and batches."""
    events = []
    for serial in (1, 2):
        days = draw(st.lists(st.integers(0, 30), min_size=1, max_size=5, unique=True))
        events += [row(serial, f"{serial}-{day}路", day=day, gone=draw(st.integers(0, 3)) == 0) for day in days]
    told = draw(st.permutations(events + draw(st.lists(st.sampled_from(events), max_size=3))))
    batches: list[list[RawRow]] = [[]]
    for event in told:
        if batches[-1] and draw(st.booleans()):
            batches.append([])
        batches[-1].append(event)
    return events, [[event._replace(number=n) for n, event in enumerate(batch, 1)] for batch in batches]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories())
def test_any_order_of_versions_late_rows_repeats_and_ends_leaves_the_same_line(city: City, story: Any) -> None:
    events, batches = story
    with transaction.atomic():
        source = make_source(city)
        for batch in batches:
            counts = load(source, batch)
            assert counts.read == counts.accepted == len(batch) == counts.changed + counts.unchanged + counts.deleted
        expected = []
        for key in ("1", "2"):
            own = sorted((event for event in events if event.source_key == key), key=lambda event: event.valid_from)
            moments = [datetime.fromisoformat(event.valid_from) for event in own]
            for place, event in enumerate(own):
                until = moments[place + 1] if place + 1 < len(own) else None
                if not event.gone:
                    expected.append((key, moments[place], until, event.values[-1]))
        assert line_of(source) == expected
        standing = {address for _key, _since, until, address in expected if until is None}
        assert set(Person.objects.filter(withdrawn_at=None).values_list("address", flat=True)) == standing
        assert all(load(source, batch).changed == 0 for batch in [[event] for event in events if not event.gone])
        transaction.set_rollback(True)


def test_row_without_a_moment_of_its_own_follows_what_is_known(city: City) -> None:
    source, now = make_source(city), timezone.now()
    for address in ("一", "二", "三"):
        load(source, [row(1, address)], now=now)  # not even the clock need move
    assert [piece[3] for piece in line_of(source)] == ["三"]
    assert SourceRecord.objects.filter(source=source).count() == 3
    later = load(source, [row(1, "四")], now=now - timedelta(hours=1))  # nor must it run ahead
    assert later.changed == 1
    assert Person.objects.values_list("address", "version").get() == ("四", 4)


def test_ended_row_withdraws_the_person_and_its_return_brings_it_back(city: City) -> None:
    source = make_source(city)
    load(source, [row(1, "一")])
    assert load(source, [row(1, "", gone=True)]) == Counts(read=1, accepted=1, changed=0, rejected=0, deleted=1)
    assert load(source, [row(1, "", gone=True)]).unchanged == 1
    assert Person.objects.get().withdrawn_at is not None
    assert load(source, [row(1, "一")]).changed == 1
    assert Person.objects.get().withdrawn_at is None
    assert len({record.chain for record in SourceRecord.objects.filter(source=source)}) == 1


def test_last_of_several_rows_of_a_key_stands_even_if_it_is_what_stood_before(city: City) -> None:
    source = make_source(city)
    load(source, [row(1, "一")])
    counts = load(source, [row(1, "二", number=1), row(1, "一", number=2)])
    assert (counts.changed, counts.unchanged) == (0, 2)
    assert Person.objects.get().address == "一"


def test_row_of_a_keyless_source_is_held_apart_until_somebody_matches_it(city: City) -> None:
    source = make_source(city, is_keyless=True, is_lead=False, collector="HEALTH")
    nameless = row(1, "一")
    counts = load(source, [nameless._replace(values=("", *nameless.values[1:]))])
    assert (counts.changed, counts.rejected) == (1, 0)
    link = Crosswalk.objects.get()
    assert (link.tier, link.entity_key, link.chain) == ("HELD", None, SourceRecord.objects.get().chain)
    assert not Person.objects.exists()


def test_row_that_loses_its_identifier_no_longer_speaks_for_its_person_and_finds_back(city: City) -> None:
    register, clinic = make_source(city), make_source(city, is_keyless=True, is_lead=False, collector="HEALTH")
    load(register, [row(1, "")])
    said = row(1, "诊所记的地址")
    load(clinic, [said])
    assert Person.objects.get().address == "诊所记的地址"
    load(clinic, [said._replace(values=("", *said.values[1:]))])
    chain = SourceRecord.objects.filter(source=clinic).latest("id").chain
    standing = Crosswalk.objects.filter(chain=chain, linked__upper_inf=True)
    assert [(link.tier, link.entity_key) for link in standing] == [("HELD", None)]
    assert Person.objects.get().address is None
    load(clinic, [said])
    assert [link.tier for link in standing.all()] == ["EXACT"]
    assert Person.objects.get().address == "诊所记的地址"


@pytest.mark.parametrize("moment", ["去年", "0001-01-01", "9999-12-31 00:00:00"])
def test_moment_that_is_none_is_rejected(city: City, moment: str) -> None:
    source = make_source(city)
    assert load(source, [row(1, "一")._replace(valid_from=moment)]).rejected == 1


def test_database_refuses_a_changed_record_and_overlapping_pieces(city: City) -> None:
    source = make_source(city)
    load(source, [row(1, "一", day=1)])
    for statement in ("UPDATE basedb_sourcerecord SET payload = '{}'", "DELETE FROM basedb_sourcerecord"):
        with pytest.raises(Exception, match="kept as they came"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    record = SourceRecord.objects.get()
    record.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        record.save(force_insert=True)


def test_late_row_may_say_a_state_from_which_the_one_that_stands_cannot_be_left(city: City) -> None:
    source = make_source(city, is_lead=False)
    died = row(1, "甲路")
    died = died._replace(values=(*died.values[:4], "9", *died.values[5:]), valid_from=(START + timedelta(days=9)).isoformat())
    lived = row(1, "乙路", day=1)
    load(make_source(city), [died])
    load(source, [died])
    assert load(source, [lived]).rejected == 0
    assert [piece[3] for piece in line_of(source)] == ["乙路", "甲路"]
    assert load(source, [lived]).rejected == 0
    assert load(source, [row(1, "丙路", day=10)]).rejected == 1
