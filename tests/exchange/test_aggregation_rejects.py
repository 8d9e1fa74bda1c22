"""Rejected rows: corrected, replayed, dismissed, taken out as a file and brought back; never by strangers."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from basedb.ingest import SUPERSEDED
from basedb.models import Person, SourceRecord
from core.audit import Actor
from core.errors import Conflict, Invalid, NotFound
from core.models import AuditEntry
from exchange.aggregation import plans, reject_files, rejects, runs
from exchange.aggregation.replay import sink_of
from exchange.aggregation.visibility import plans_visible_to, rejected_visible_to, runs_visible_to
from exchange.models import AggregationPlan, AggregationRun, RejectedRow, RunState
from tests.exchange.aggregation_sources import COLUMNS, counts, csv_plan, csv_text, drop, person
from tests.factories import City


@pytest.fixture
def clerk(city: City) -> Actor:
    return city.actor("police_operator")


@pytest.fixture
def plan(city: City, clerk: Actor, now: datetime, settings: Any, tmp_path: Path) -> AggregationPlan:
    """A plan that ran once: three good rows, a nameless one, one with a formula for a name and no sex."""
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    plan = csv_plan(city.police, now)
    rows = [person(1), person(2), person(3), person(4, XM=""), person(5, XM='=HYPERLINK("x")', XB="")]
    drop(tmp_path / "drop" / "police", "a.csv", csv_text(rows))
    _work(plans.queue_run(plan_uid=plan.uid, actor=clerk, now=now))
    assert RejectedRow.objects.count() == 2
    return plan


def _work(run: AggregationRun) -> AggregationRun:
    runs.work(run_uid=run.uid, clock=timezone.now)
    run.refresh_from_db()
    return run


def _row(rule: str) -> RejectedRow:
    return RejectedRow.objects.get(rule=rule)


def test_corrected_row_is_replayed_through_the_same_gate(plan: AggregationPlan, clerk: Actor, now: datetime) -> None:
    row = rejects.correct(uid=_row("name.required").uid, values={"name": "张四"}, actor=clerk, now=now)
    assert row.state == "CORRECTED"
    run = _work(rejects.replay(plan_uid=plan.uid, actor=clerk, now=now))
    assert (run.state, run.is_replay, counts(run)) == (RunState.SUCCEEDED, True, (1, 1, 1, 0))
    row.refresh_from_db()
    assert (row.state, row.replay_run) == ("REPLAYED", run)
    assert Person.objects.get(name="张四").run_id == run.pk
    assert row.raw["name"] is None  # the row as it came is kept
    for action in ("rejected_row.corrected", "rejected_row.replayed"):
        assert AuditEntry.objects.filter(action=action, department_ids=[plan.department_id]).exists()
    with pytest.raises(Conflict):
        rejects.correct(uid=row.uid, values={"name": "再改"}, actor=clerk, now=now)
    with pytest.raises(Conflict) as nothing:
        rejects.replay(plan_uid=plan.uid, actor=clerk, now=now)
    assert nothing.value.code == "reject.nothing_to_replay"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "张四", "birth_on": "20990101"}, "birth_on"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "\ud800"}, "name"),
        ({"name": "张" * 5000}, "name"),
        ({"phone": "1"}, "phone"),
    ],
)
def test_correction_that_is_still_wrong_is_refused(
    plan: AggregationPlan, clerk: Actor, now: datetime, values: dict[str, str], field: str
) -> None:
    row = _row("name.required")
    with pytest.raises(Invalid) as refused:
        rejects.correct(uid=row.uid, values=values, actor=clerk, now=now)
    assert field in refused.value.details
    row.refresh_from_db()
    assert (row.state, row.correction) == ("OPEN", None)


def test_replay_does_not_overwrite_what_the_source_corrected_meanwhile(
    plan: AggregationPlan, clerk: Actor, now: datetime, tmp_path: Path
) -> None:
    rejects.correct(uid=_row("name.required").uid, values={"name": "旧的更正"}, actor=clerk, now=now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE exchange_rejectedrow SET created_at = %s", [now - timedelta(hours=1)])
    drop(tmp_path / "drop" / "police", "b.csv", csv_text([person(4, XM="数源更正")]))
    _work(plans.queue_run(plan_uid=plan.uid, actor=clerk, now=now))
    run = _work(rejects.replay(plan_uid=plan.uid, actor=clerk, now=now))
    assert counts(run) == (1, 0, 0, 1)
    assert Person.objects.filter(name="数源更正").exists()
    row = _row(SUPERSEDED)
    assert row.state == "OPEN"
    assert RejectedRow.objects.count() == 2


def test_dismissal_needs_a_reason_that_stays(plan: AggregationPlan, clerk: Actor, now: datetime) -> None:
    row = _row("name.required")
    with pytest.raises(Invalid):
        rejects.dismiss(uids=[row.uid], reason=" ", actor=clerk, now=now)
    assert rejects.dismiss(uids=[row.uid], reason="人员已注销", actor=clerk, now=now) == 1
    row.refresh_from_db()
    assert (row.state, row.reason) == ("DISMISSED", "人员已注销")
    with pytest.raises(Conflict):
        rejects.dismiss(uids=[row.uid], reason="再来一次", actor=clerk, now=now)


def _download(plan: AggregationPlan, clerk: Actor) -> str:
    rows = rejected_visible_to(clerk)
    return b"".join(reject_files.start_download(plan_uid=plan.uid, rows=rows, actor=clerk, now=timezone.now())).decode("utf-8-sig")


def test_file_goes_out_harmless_and_comes_back_corrected(plan: AggregationPlan, clerk: Actor, now: datetime) -> None:
    text = _download(plan, clerk)
    lines = list(csv.reader(io.StringIO(text)))
    assert lines[0] == ["编号", "来源文件", "归集时间", "行号", "规则", "说明", *COLUMNS.values()]
    assert [lines[1][1], *lines[1][3:7]] == ["a.csv", "5", "name.required", "姓名不能为空", person(4)["GMSFHM"]]
    assert lines[2][7] == '\'=HYPERLINK("x")'
    assert AuditEntry.objects.get(action="rejected_row.downloaded").detail["rows"] == 2
    lines[1][7], lines[2][8] = "张四", "1"
    back = io.StringIO()
    csv.writer(back).writerows(lines)
    content = back.getvalue().encode("gb18030")
    assert reject_files.upload(plan_uid=plan.uid, file=io.BytesIO(content), size=len(content), actor=clerk, now=now) == 2
    assert counts(_work(rejects.replay(plan_uid=plan.uid, actor=clerk, now=now))) == (2, 2, 2, 0)
    assert set(Person.objects.values_list("name", flat=True)) >= {"张四", '=HYPERLINK("x")'}


def test_file_of_a_source_whose_columns_are_called_like_ours_comes_back(plan: AggregationPlan, clerk: Actor, now: datetime) -> None:
    columns = {**plan.columns, "name": "说明", "address": plan.columns["region_code"]}  # and one column is two fields
    AggregationPlan.objects.filter(pk=plan.pk).update(columns=columns)
    header, row, _other = csv.reader(io.StringIO(_download(plan, clerk)))
    row[header.index("说明 name")] = "张四"
    back = io.StringIO()
    csv.writer(back).writerows([header, row])
    content = back.getvalue().encode()
    assert reject_files.upload(plan_uid=plan.uid, file=io.BytesIO(content), size=len(content), actor=clerk, now=now) == 1


def test_file_with_one_wrong_line_changes_nothing_and_names_it(plan: AggregationPlan, clerk: Actor, now: datetime) -> None:
    lines = list(csv.reader(io.StringIO(_download(plan, clerk))))
    lines[1][7] = "张四"
    back = io.StringIO()
    csv.writer(back).writerows(lines)
    content = back.getvalue().encode()
    with pytest.raises(Invalid) as refused:
        reject_files.upload(plan_uid=plan.uid, file=io.BytesIO(content), size=len(content), actor=clerk, now=now)
    assert str(refused.value.message).startswith("第 3 行：")
    assert not RejectedRow.objects.filter(state="CORRECTED").exists()


def test_strangers_find_nothing(plan: AggregationPlan, city: City, now: datetime) -> None:
    row = _row("name.required")
    for name in ("market_operator", "auditor", "system_admin"):
        stranger = city.actor(name)
        assert not plans_visible_to(stranger).exists()
        assert not runs_visible_to(stranger).exists()
        assert not rejected_visible_to(stranger).exists()
        with pytest.raises(NotFound):
            rejects.correct(uid=row.uid, values={"name": "x"}, actor=stranger, now=now)
        with pytest.raises(NotFound):
            rejects.dismiss(uids=[row.uid], reason="不需要", actor=stranger, now=now)
        with pytest.raises(NotFound):
            rejects.replay(plan_uid=plan.uid, actor=stranger, now=now)
        with pytest.raises(NotFound):
            plans.queue_run(plan_uid=plan.uid, actor=stranger, now=now)
    assert plans_visible_to(city.actor("reviewer")).exists()
    assert plans_visible_to(city.actor("police_head")).exists()


def test_row_is_locked_while_its_replay_takes_it_in(plan: AggregationPlan, clerk: Actor, now: datetime) -> None:
    rejects.correct(uid=_row("name.required").uid, values={"name": "张四"}, actor=clerk, now=now)
    run = rejects.replay(plan_uid=plan.uid, actor=clerk, now=now)
    with CaptureQueriesContext(connection) as asked:
        _work(run)
    reads = [q["sql"] for q in asked if '"replay_run_id"' in q["sql"] and "LIMIT" in q["sql"] and "count" not in q["sql"].lower()]
    assert reads
    assert all("FOR NO KEY UPDATE OF" in sql for sql in reads)


def test_row_dismissed_during_its_replay_stays_dismissed(plan: AggregationPlan, clerk: Actor, now: datetime) -> None:
    row = rejects.correct(uid=_row("name.required").uid, values={"name": "张四"}, actor=clerk, now=now)
    run = rejects.replay(plan_uid=plan.uid, actor=clerk, now=now)
    rejects.dismiss(uids=[row.uid], reason="人员已注销", actor=clerk, now=now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH rejected AS (SELECT %s::bigint AS number, 'x' AS rule, 'x' AS field) {sink_of(run).statement}",
            [row.pk, *sink_of(run).parameters],
        )
    _work(run)
    row.refresh_from_db()
    assert (row.state, row.rule) == ("DISMISSED", "name.required")


DATED = (*COLUMNS.values(), "SXSJ", "SCBZ")


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    return tmp_path / "drop" / "police"


@pytest.fixture
def dated(city: City, now: datetime, folder: Path) -> AggregationPlan:
    """A plan whose files say since when a row holds and that it has ended."""
    return csv_plan(
        city.police, now, valid_from_column="SXSJ", delete_mode="TOMBSTONE", tombstone_column="SCBZ", tombstone_value="1"
    )


def _deliver(plan: AggregationPlan, clerk: Actor, folder: Path, name: str, *rows: dict[str, str]) -> AggregationRun:
    columns = DATED if plan.valid_from_column else tuple(COLUMNS.values())
    drop(folder, name, csv_text([dict.fromkeys(columns, "") | row for row in rows], columns))
    run = _work(plans.queue_run(plan_uid=plan.uid, actor=clerk, now=timezone.now()))
    RejectedRow.objects.filter(run=run).update(created_at=timezone.now())  # the database's own clock stands still in a test
    return run


def _replay(plan: AggregationPlan, clerk: Actor, rule: str, **values: str) -> AggregationRun:
    rejects.correct(uid=_row(rule).uid, values=values, actor=clerk, now=timezone.now())
    return _work(rejects.replay(plan_uid=plan.uid, actor=clerk, now=timezone.now()))


def test_replayed_row_holds_from_when_its_source_said_and_gives_way_to_what_began_later(
    dated: AggregationPlan, clerk: Actor, folder: Path
) -> None:
    _deliver(dated, clerk, folder, "a.csv", person(4, XM="", SXSJ="2020-01-01"))
    assert counts(_replay(dated, clerk, "name.required", name="张四")) == (1, 1, 1, 0)
    assert SourceRecord.objects.get().valid.lower == datetime(2020, 1, 1, tzinfo=ZoneInfo("Asia/Shanghai"))
    _deliver(dated, clerk, folder, "b.csv", person(4, XM="李四", SXSJ="2021-01-01"))
    assert Person.objects.get().name == "李四"


def test_replayed_end_is_an_end(dated: AggregationPlan, clerk: Actor, folder: Path) -> None:
    _deliver(dated, clerk, folder, "a.csv", person(4))
    _deliver(dated, clerk, folder, "b.csv", person(4, SXSJ="不是日期", SCBZ="1"))
    assert _replay(dated, clerk, "row.valid_from").deleted_count == 1
    assert not Person.objects.filter(withdrawn_at=None).exists()


def test_replay_does_not_bring_back_what_ended_meanwhile(dated: AggregationPlan, clerk: Actor, folder: Path) -> None:
    _deliver(dated, clerk, folder, "a.csv", person(4))
    _deliver(dated, clerk, folder, "b.csv", person(4, XM=""))
    _deliver(dated, clerk, folder, "c.csv", person(4, SCBZ="1"))
    assert counts(_replay(dated, clerk, "name.required", name="张四")) == (1, 0, 0, 1)
    assert _row(SUPERSEDED).state == "OPEN"
    assert not Person.objects.filter(withdrawn_at=None).exists()


def test_replay_does_not_bring_to_life_what_ended_before_it_was_ever_taken_in(
    dated: AggregationPlan, clerk: Actor, folder: Path
) -> None:
    _deliver(dated, clerk, folder, "a.csv", person(4, XM=""))
    gone = _deliver(dated, clerk, folder, "b.csv", person(4, SCBZ="1"))
    assert (counts(gone), gone.deleted_count) == ((1, 1, 0, 0), 0)
    _deliver(dated, clerk, folder, "c.csv", person(4, SCBZ="1"), person(5))
    assert SourceRecord.objects.count() == 2, "the end is kept once"
    assert counts(_replay(dated, clerk, "name.required", name="张四")) == (1, 0, 0, 1)
    assert _row(SUPERSEDED).state == "OPEN"
    assert not Person.objects.filter(name="张四").exists()
    _deliver(dated, clerk, folder, "d.csv", person(4, XM="李四"))
    assert Person.objects.get(name="李四").withdrawn_at is None, "the source itself may bring it back"


@pytest.mark.parametrize("key_column", ["", "GMSFHM"])
def test_row_whose_key_was_corrected_is_the_one_its_source_corrects_later(
    city: City, clerk: Actor, now: datetime, folder: Path, key_column: str
) -> None:
    plan = csv_plan(city.police, now, key_column=key_column)
    right = person(4)["GMSFHM"]
    wrong = f"{right[:-1]}{'1' if right[-1] != '1' else '2'}"
    _deliver(plan, clerk, folder, "a.csv", person(4, GMSFHM=wrong))
    _replay(plan, clerk, RejectedRow.objects.get().rule, citizen_id=right)
    _deliver(plan, clerk, folder, "b.csv", person(4, HJDZ="玄武区新路1号"))
    assert SourceRecord.objects.filter(known__upper_inf=True, valid__upper_inf=True).count() == 1
    assert (Person.objects.get().address, Person.objects.get().doubtful) == ("玄武区新路1号", [])


DAMAGED = {"a.csv": "1,2,3\r\n", "a.jsonl": '{"ID": "7", \n'}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_line_whose_key_is_in_no_field_is_left_to_its_source(
    city: City, clerk: Actor, now: datetime, folder: Path, name: str
) -> None:
    kind = "CSV_DROP" if name.endswith("csv") else "JSON_DROP"
    plan = csv_plan(city.police, now, connector=kind, key_column="ID")
    row = {"ID": "7", **person(4)}
    good = csv_text([row], row) if kind == "CSV_DROP" else json.dumps(row) + "\n"
    drop(folder, name, good + DAMAGED[name])
    _work(plans.queue_run(plan_uid=plan.uid, actor=clerk, now=timezone.now()))
    broken = RejectedRow.objects.get()
    values = {field: person(5)[column] for field, column in COLUMNS.items()}
    with pytest.raises(Invalid) as refused:
        rejects.correct(uid=broken.uid, values=values, actor=clerk, now=timezone.now())
    assert (refused.value.code, "源主键「ID」" in str(refused.value.message)) == ("reject.key_lost", True)
    assert rejects.dismiss(uids=[broken.uid], reason="由数源重新送来", actor=clerk, now=timezone.now()) == 1


def test_damaged_line_whose_date_is_in_no_field_is_left_to_its_source(dated: AggregationPlan, clerk: Actor, folder: Path) -> None:
    drop(folder, "a.csv", csv_text([dict.fromkeys(DATED, "") | person(1)], DATED) + "1,2,3\r\n")
    _work(plans.queue_run(plan_uid=dated.uid, actor=clerk, now=timezone.now()))
    values = {field: person(4)[column] for field, column in COLUMNS.items()}
    with pytest.raises(Invalid) as refused:
        rejects.correct(uid=_row("row.columns").uid, values=values, actor=clerk, now=timezone.now())
    assert (refused.value.code, "生效时间「SXSJ」" in str(refused.value.message)) == ("reject.key_lost", True)


def test_damaged_line_holds_from_the_date_its_correction_names(city: City, clerk: Actor, now: datetime, folder: Path) -> None:
    plan = csv_plan(city.police, now, valid_from_column="CSRQ")
    drop(folder, "a.csv", csv_text([person(1)]) + "1,2,3\r\n")
    _work(plans.queue_run(plan_uid=plan.uid, actor=clerk, now=timezone.now()))
    _replay(plan, clerk, "row.columns", **{field: person(4)[column] for field, column in COLUMNS.items()})
    record = SourceRecord.objects.get(source_key=person(4)["GMSFHM"])
    assert f"{timezone.localtime(record.valid.lower):%Y%m%d}" == person(4)["CSRQ"]


@pytest.mark.parametrize("mode", ["NONE", "FULL_KEYS"])
def test_damaged_line_is_replayed_under_the_key_its_correction_names(
    city: City, clerk: Actor, now: datetime, folder: Path, mode: str
) -> None:
    plan = csv_plan(city.police, now, delete_mode=mode)
    drop(folder, "a.csv", csv_text([person(1)]) + "1,2,3\r\n")
    _work(plans.queue_run(plan_uid=plan.uid, actor=clerk, now=timezone.now()))
    _replay(plan, clerk, "row.columns", **{field: person(4)[column] for field, column in COLUMNS.items()})
    _deliver(plan, clerk, folder, "b.csv", person(1), person(4, HJDZ="玄武区新路1号"))
    standing = SourceRecord.objects.filter(known__upper_inf=True, valid__upper_inf=True)
    assert set(standing.values_list("source_key", flat=True)) == {person(1)["GMSFHM"], person(4)["GMSFHM"]}
    assert Person.objects.get(name="张4").address == "玄武区新路1号"
