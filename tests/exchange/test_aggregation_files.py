"""Files from the exchange node folder: what is read, what is refused and how it is said."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from basedb.models import Person, SourceRecord
from core.audit import Actor
from core.errors import Conflict, Invalid
from exchange.aggregation import plans, runs
from exchange.aggregation.connectors import drops
from exchange.models import AggregationBatch, AggregationPlan, AggregationRun, DropFile, RejectedRow, RunState
from tests.exchange.aggregation_sources import COLUMNS, counts, csv_plan, csv_text, drop, person, run_now
from tests.factories import City


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DROP_DIR, settings.UPLOAD_DIR = tmp_path / "drop", tmp_path / "uploads"
    return tmp_path / "drop" / "police"


@pytest.fixture
def plan(city: City, now: datetime) -> AggregationPlan:
    return csv_plan(city.police, now)


@pytest.fixture
def clerk(city: City) -> Actor:
    return city.actor("police_operator")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_file_is_read_in_any_of_the_three_encodings(plan: AggregationPlan, clerk: Actor, folder: Path, encoding: str) -> None:
    drop(folder, "a.csv", csv_text(person(n) for n in range(250)), encoding)
    run = run_now(plan, clerk)
    assert (run.state, run.message) == (RunState.SUCCEEDED, "文件「a.csv」")
    assert counts(run) == (250, 250, 250, 0)
    assert run.expected_count == 250
    assert Person.objects.get(name="张7").address == "玄武区某路7号"
    assert AggregationBatch.objects.filter(run=run).count() == 3
    assert not list((folder.parent.parent / "uploads" / "aggregation").iterdir())


def test_file_whose_name_is_in_another_encoding_is_taken_and_keeps_no_other_plan_waiting(
    plan: AggregationPlan, folder: Path, now: datetime
) -> None:
    AggregationPlan.objects.update(every_minutes=10, next_run_at=now)
    drop(folder, os.fsdecode("人口.csv".encode("gb18030")), csv_text([person(1)]))
    assert plans.queue_due(now=now) == 1
    runs.work(run_uid=AggregationRun.objects.get().uid, clock=timezone.now)
    assert AggregationRun.objects.get().message == "文件「人口.csv」"
    assert DropFile.objects.get().name == "人口.csv"
    assert next(drops.waiting_files(plan, again=True), None) is None


def test_file_is_never_taken_twice_even_when_touched(plan: AggregationPlan, clerk: Actor, folder: Path) -> None:
    path = drop(folder, "a.csv", csv_text([person(1)]))
    run_now(plan, clerk)
    path.touch()
    again = run_now(plan, clerk)
    assert (again.state, again.message, again.read_count) == (RunState.SUCCEEDED, "前置机目录中没有新文件。", 0)
    drop(folder, "a.csv", csv_text([person(1, XM="李一")]))
    assert run_now(plan, clerk).changed_count == 1


@pytest.mark.parametrize("keeps_time", [False, True])
def test_file_whose_contents_come_back_under_its_name_is_taken_again(
    plan: AggregationPlan, clerk: Actor, folder: Path, keeps_time: bool
) -> None:
    for name, made_at in (("张三", 1_000), ("李四", 2_000), ("张三", 1_000)):
        path = drop(folder, "a.csv", csv_text([person(1, XM=name)]))
        if keeps_time:  # as rsync -t and many clients of SFTP do
            os.utime(path, (made_at, made_at))
        run_now(plan, clerk)
        assert Person.objects.get().name == name
    assert counts(run_now(plan, clerk)) == (0, 0, 0, 0)


def test_files_are_taken_in_the_order_of_names_one_a_run(plan: AggregationPlan, clerk: Actor, folder: Path) -> None:
    drop(folder, "2.csv", csv_text([person(1, XM="后")]))
    drop(folder, "1.csv", csv_text([person(1, XM="先")]))
    drop(folder, "3.csv.part", csv_text([person(1, XM="未完")]))
    assert run_now(plan, clerk).message == "文件「1.csv」"
    assert run_now(plan, clerk).message == "文件「2.csv」"
    assert Person.objects.get().name == "后"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "文件是空的"),
        (csv_text([]), "只有表头"),
        (csv_text([], [*list(COLUMNS.values())[:-1], "DZ"]), "第 1 行表头与字段对应不一致：缺少列：HJDZ；多出列：DZ"),
        (csv_text([person(1)]).encode() + b"\x00", "第 3 行含有空字节"),
        (csv_text([person(1)]).encode() + b"\xff\xff\xff\n", "第 3 行既不是 UTF-8 也不是 GB18030"),
        (csv_text([person(1)]).encode("utf-16"), "UTF-16"),
        (csv_text([person(1)]).encode() + b"x" * 70_000, "第 3 行过长"),
    ],
)
def test_file_that_cannot_be_taken_leaves_no_row(
    plan: AggregationPlan, clerk: Actor, folder: Path, content: str | bytes, said: str
) -> None:
    drop(folder, "坏.csv", content)
    run = run_now(plan, clerk)
    assert run.state == RunState.FAILED
    assert run.message.startswith("文件「坏.csv」：")
    assert said in run.message
    assert not Person.objects.exists()
    assert not SourceRecord.objects.exists()
    assert not RejectedRow.objects.exists()
    assert not AggregationBatch.objects.exists()


def test_refused_file_is_tried_again_only_by_hand(plan: AggregationPlan, clerk: Actor, folder: Path, now: datetime) -> None:
    drop(folder, "a.csv", "GMSFHM\n1\n")
    run_now(plan, clerk)
    AggregationPlan.objects.update(next_run_at=now, every_minutes=1)
    assert plans.queue_due(now=now) == 0
    assert run_now(plan, clerk).state == RunState.FAILED
    assert DropFile.objects.get().state == "REFUSED"
    drop(folder, "a.csv", csv_text([person(1)]))
    AggregationPlan.objects.update(next_run_at=now)
    assert plans.queue_due(now=now) == 1
    runs.work(run_uid=AggregationRun.objects.latest("id").uid, clock=timezone.now)
    assert Person.objects.count() == 1


def test_folder_is_looked_into_often_however_seldom_a_file_is_promised(plan: AggregationPlan, folder: Path, now: datetime) -> None:
    AggregationPlan.objects.update(next_run_at=now, every_minutes=24 * 60)
    assert plans.queue_due(now=now) == 0
    drop(folder, "a.csv", csv_text([person(1)]))
    assert plans.queue_due(now=now + timedelta(minutes=5)) == 1


def test_broken_rows_in_the_middle_are_rejected_with_their_lines(plan: AggregationPlan, clerk: Actor, folder: Path) -> None:
    lines = csv_text(person(n) for n in range(1, 9)).split("\r\n")
    lines[2] = "1,2,3"
    lines[4] = lines[4].replace("张4", '"张4')
    lines[6] = lines[6].replace("玄武区某路6号", '"玄武区\r\n某路6号"')
    lines.insert(6, "")
    drop(folder, "a.csv", "\r\n".join(lines))
    run = run_now(plan, clerk)
    assert counts(run) == (8, 5, 5, 3)
    kept = list(RejectedRow.objects.order_by("id").values_list("line_number", "rule", "field"))
    assert kept == [(3, "row.columns", ""), (5, "row.quote", ""), (8, "address.control_character", "address")]
    assert RejectedRow.objects.order_by("id")[1].raw["_row"] == lines[4]
    assert sorted(Person.objects.values_list("name", flat=True)) == ["张1", "张3", "张5", "张7", "张8"]


def test_duplicate_key_names_both_lines_across_batches(plan: AggregationPlan, clerk: Actor, folder: Path) -> None:
    rows = [person(n) for n in range(250)]
    rows.append(person(3, XM="又一个"))
    drop(folder, "a.csv", csv_text(rows))
    run = run_now(plan, clerk)
    assert counts(run) == (251, 250, 250, 1)
    row = RejectedRow.objects.get()
    assert (row.line_number, row.related_line, row.rule) == (252, 5, "citizen_id.duplicate")
    assert Person.objects.filter(name="张3").exists()


def test_file_may_hold_several_versions_of_a_row_but_no_two_of_one_moment(
    city: City, clerk: Actor, folder: Path, now: datetime
) -> None:
    plan = csv_plan(city.police, now, valid_from_column="SXSJ")
    told = (("甲路", "2020-01-01"), ("丙路", "2022-01-01"), ("乙路", "2021-01-01"), ("丁路", "2021-01-01"))
    rows = [person(1, HJDZ=address, SXSJ=since) for address, since in told]
    drop(folder, "a.csv", csv_text(rows, [*COLUMNS.values(), "SXSJ"]))
    assert counts(run_now(plan, clerk)) == (4, 3, 3, 1)
    assert RejectedRow.objects.get().line_number == 5
    pieces = SourceRecord.objects.filter(known__upper_inf=True).order_by("valid")
    assert [piece.payload["address"] for piece in pieces] == ["甲路", "乙路", "丙路"]
    assert Person.objects.get().address == "丙路"


def test_too_many_rejects_stop_the_run(city: City, clerk: Actor, folder: Path, now: datetime) -> None:
    plan = csv_plan(city.police, now, reject_limit_percent=20)
    drop(folder, "a.csv", csv_text(person(n, XM="" if n % 2 else "名") for n in range(300)))
    run = run_now(plan, clerk)
    assert run.state == RunState.STOPPED
    assert (counts(run), run.held_back_count, Person.objects.count()) == ((100, 0, 0, 50), 50, 0)
    assert "拒收 50 行" in run.message
    assert "20%" in run.message


def test_second_run_at_the_same_time_is_a_conflict(plan: AggregationPlan, clerk: Actor, folder: Path, now: datetime) -> None:
    plans.queue_run(plan_uid=plan.uid, actor=clerk, now=now)
    with pytest.raises(Conflict) as refused:
        plans.queue_run(plan_uid=plan.uid, actor=clerk, now=now)
    assert refused.value.code == "run.under_way"
    assert AggregationRun.objects.count() == 1


def test_plan_cannot_reach_out_of_its_folder(city: City, now: datetime, folder: Path) -> None:
    with pytest.raises(Exception, match=r"plan\.folder_invalid"):
        csv_plan(city.police, now, settings={"folder": "../secrets"})


def test_refused_file_waits_behind_those_never_seen(plan: AggregationPlan, clerk: Actor, folder: Path) -> None:
    drop(folder, "1.csv", "GMSFHM\n1\n")
    drop(folder, "2.csv", csv_text([person(1)]))
    drop(folder, "3.csv", csv_text([person(2)]))
    told = [run_now(plan, clerk).message.partition("」")[0] for _ in range(4)]
    assert told == ["文件「1.csv", "文件「2.csv", "文件「3.csv", "文件「1.csv"]


@pytest.mark.parametrize("swap", ["link", "pipe"])
def test_file_swapped_after_it_was_seen_is_not_followed(plan: AggregationPlan, clerk: Actor, folder: Path, swap: str) -> None:
    secret = drop(folder.parent / "other", "secret.csv", "keyword,口令\n1,2\n")
    path = drop(folder, "a.csv", csv_text([person(1)]))
    run = plans.queue_run(plan_uid=plan.uid, actor=clerk, now=timezone.now())
    reading = runs.open_reading(run)
    path.unlink()
    path.symlink_to(secret) if swap == "link" else os.mkfifo(path)
    with pytest.raises(Invalid) as refused:
        reading.begin()
    reading.close()
    assert str(refused.value.message) == "文件「a.csv」：不是普通文件（可能是链接或管道），不能归集。"
    assert list(drops.waiting_files(plan, again=True)) == []


def test_file_without_a_header_is_refused_without_quoting_its_first_person(
    plan: AggregationPlan, clerk: Actor, folder: Path
) -> None:
    drop(folder, "a.csv", csv_text([person(1)]).partition("\r\n")[2])
    drop(folder, "b.csv", csv_text([], [*list(COLUMNS.values()), "DZ", person(1)["GMSFHM"], "x" * 80]))
    first, second = run_now(plan, clerk).message, run_now(plan, clerk).message
    assert "多出列：7 个无法识别的列名" in first
    assert not [value for value in person(1).values() if len(value) > 1 and value in first]
    assert "多出列：DZ、2 个无法识别的列名" in second


def test_file_damaged_beyond_the_limit_is_refused_as_a_whole(city: City, clerk: Actor, folder: Path, now: datetime) -> None:
    plan = csv_plan(city.police, now, reject_limit_percent=20)
    lines = csv_text(person(n) for n in range(300)).split("\r\n")
    lines[210:280] = ["1,2,3"] * 70
    drop(folder, "a.csv", "\r\n".join(lines))
    run = run_now(plan, clerk)
    assert (run.state, counts(run)) == (RunState.FAILED, (0, 0, 0, 0))
    assert "300 行中有 70 行无法解析或主键重复（第 211、212、" in run.message
    assert "20%" in run.message
    assert not Person.objects.exists()
    assert not RejectedRow.objects.exists()


def test_few_rows_are_not_judged_by_percentage(city: City, clerk: Actor, folder: Path, now: datetime) -> None:
    plan = csv_plan(city.police, now, reject_limit_percent=20)
    drop(folder, "a.csv", csv_text(person(n, XM="" if n % 2 else "名") for n in range(20)) + "1,2\n")
    run = run_now(plan, clerk)
    assert (run.state, counts(run)) == (RunState.SUCCEEDED, (21, 10, 10, 11))


def test_file_taken_again_writes_no_reject_twice_but_one_file_keeps_each_line(
    city: City, clerk: Actor, folder: Path, now: datetime
) -> None:
    plan = csv_plan(city.police, now, reject_limit_percent=20)
    drop(folder, "a.csv", csv_text(person(n, XM="" if n % 2 else "名") for n in range(300)))
    assert [run_now(plan, clerk).state for _ in range(2)] == [RunState.STOPPED] * 2
    assert RejectedRow.objects.count() == 50
    other = csv_plan(city.police, now, settings={"folder": "other"})
    drop(folder.parent / "other", "b.csv", csv_text([person(1)]) + "1,2\r\n1,2\r\n")
    run_now(other, clerk)
    assert RejectedRow.objects.filter(plan=other).count() == 2


def test_row_the_database_does_not_take_is_in_no_log_and_the_run_does_not_stay_open(
    plan: AggregationPlan, clerk: Actor, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drop(folder, "a.csv", csv_text([person(1)]))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_person() RETURNS trigger LANGUAGE plpgsql AS $$"
            "BEGIN RAISE EXCEPTION 'cannot take %', NEW; END $$;"
            "CREATE TRIGGER refuse_person BEFORE INSERT ON basedb_person FOR EACH ROW EXECUTE FUNCTION refuse_person()"
        )
    run = run_now(plan, clerk)
    assert (run.state, run.lease_token) == (RunState.RUNNING, None)
    assert run.message == "平台数据库没有接受这批数据（错误码 P0001）。 稍后自动重试。"
    runs.work(run_uid=run.uid, clock=lambda: timezone.now() + timedelta(minutes=11))
    run.refresh_from_db()
    assert run.state == RunState.FAILED
    assert DropFile.objects.get().state == "REFUSED"
    assert "P0001" in caplog.text
    for said in (caplog.text, run.message):
        assert person(1)["GMSFHM"] not in said
        assert "张1" not in said


def test_folder_that_cannot_be_written_is_waited_for(plan: AggregationPlan, clerk: Actor, folder: Path, tmp_path: Path) -> None:
    drop(folder, "a.csv", csv_text([person(1)]))
    drop(tmp_path / "uploads", "aggregation", "in the way")
    run = run_now(plan, clerk)
    assert (run.state, run.lease_token) == (RunState.RUNNING, None)
    assert "无法读取或暂存（EEXIST）" in run.message


def test_unexpected_failure_ends_the_run(
    plan: AggregationPlan, clerk: Actor, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drop(folder, "a.csv", "XM\n张1\n")
    AggregationPlan.objects.update(settings={"folder": "police", "most_megabytes": "many"})  # no form lets this in
    run = run_now(plan, clerk)
    assert run.state == RunState.FAILED
    assert "平台内部错误" in run.message
    assert "ValueError" in caplog.text
    assert "张1" not in caplog.text
