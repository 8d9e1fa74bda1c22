"""Databases beyond PostgreSQL, their drivers faked: what they are asked, what their errors mean, what a missing driver says."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from django.utils import timezone
from sqlalchemy.dialects import mysql, registry
from sqlalchemy.dialects.oracle.base import OracleDialect

from basedb.staging import RawRow
from core.errors import DomainError, Invalid, Unavailable
from exchange.aggregation import checking
from exchange.aggregation.connectors.postgresql import Postgresql
from exchange.aggregation.connectors.registry import CONNECTORS
from exchange.aggregation.connectors.terms import Place, family_of, place_of
from exchange.models import AggregationPlan, AggregationRun, SchemaChange
from tests.exchange import fake_databases
from tests.exchange.aggregation_sources import COLUMNS, person, table_plan
from tests.exchange.fake_databases import DriverError, Table
from tests.factories import City

CATALOGUE = [
    ("ID", "int", "编号", 1),
    ("GXSJ", "datetime", "更新时间", 0),
    *((name, "varchar(50)", "", 0) for name in COLUMNS.values()),
]
MODULES = {"MYSQL": "pymysql", "SQL_SERVER": "pymssql", "ORACLE": "oracledb", "DM": "dmPython"}
MOMENT = datetime(2026, 3, 1, 8, 30)
NOW = datetime(2026, 3, 1, 9)


class FakeDm(OracleDialect):
    """The dialect that comes with the driver of DM."""

    driver = "dmPython"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        return sys.modules["dmPython"]

    def _get_server_version_info(self, connection: Any) -> tuple[int, ...]:
        return (12, 2)

    def create_connect_args(self, url: sa.URL) -> Any:
        return [], {"user": url.username}


def row(serial: int, at: datetime = MOMENT, **values: str) -> tuple[Any, ...]:
    return (at, serial, *person(serial, **values).values())


@pytest.fixture
def table() -> Table:
    table = Table(CATALOGUE, [row(n, MOMENT + timedelta(seconds=n)) for n in range(1, 4)])
    table.clock = NOW
    return table


@pytest.fixture(params=sorted(MODULES))
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, table: Table) -> str:
    kind: str = request.param
    monkeypatch.setitem(sys.modules, MODULES[kind], fake_databases.driver(MODULES[kind], table))
    if kind == "DM":
        registry.register("dm.dmPython", __name__, "FakeDm")
    return kind


def plan_of(city: City, kind: str, now: datetime, **values: Any) -> AggregationPlan:
    plan = table_plan(city.police, now, "RK_JBXX", **values)
    plan.connector = kind
    plan.save()
    return plan


def run_of(plan: AggregationPlan, **checkpoint: Any) -> AggregationRun:
    return AggregationRun.objects.create(plan=plan, queued_at=timezone.now(), checkpoint=checkpoint)


def read(plan: AggregationPlan, run: AggregationRun, size: int = 100) -> tuple[list[RawRow], Any]:
    reading = CONNECTORS[plan.connector].open(plan, run)
    reading.begin()
    rows = list(reading.batch(size))
    reading.close()
    return rows, reading


def test_rows_come_as_text_with_a_checkpoint_of_cursor_and_key(city: City, now: datetime, kind: str, table: Table) -> None:
    rows, reading = read(plan_of(city, kind, now), run_of(plan_of(city, kind, now)))
    assert [r.source_key for r in rows] == ["1", "2", "3"]
    assert rows[0].values[1] == "张1"
    assert reading.expected == 3
    assert reading.is_exhausted
    assert reading.state == {"cursor": "2026-03-01T08:30:03", "key": "3"}
    assert reading.plan_checkpoint() == {"cursor": "2026-03-01T08:30:03"}
    asked = [statement for statement, _ in table.asked]
    assert any("RK_JBXX" in statement and "ORDER BY" in statement for statement in asked)
    if kind != "SQL_SERVER":
        assert any("READ ONLY" in statement for statement in asked)


def test_next_run_asks_from_the_cursor_less_the_window_and_a_resumed_one_after_the_last_row(
    city: City, now: datetime, kind: str, table: Table
) -> None:
    plan = plan_of(city, kind, now, lag_seconds=60)
    plan.checkpoint = {"cursor": "2026-03-01T08:30:03"}
    read(plan, run_of(plan))
    statement, values = next(asked for asked in table.asked if "place_cursor" in asked[0])
    assert ">=" in statement
    assert datetime(2026, 3, 1, 8, 29, 3) in (values.values() if isinstance(values, dict) else values)
    AggregationRun.objects.all().delete()
    table.asked.clear()
    read(plan, run_of(plan, cursor="2026-03-01T08:30:02", key="2"))
    statement, values = next(asked for asked in table.asked if "place_cursor" in asked[0])
    given = list(values.values() if isinstance(values, dict) else values)
    assert given.count(2) == 1
    assert datetime(2026, 3, 1, 8, 30, 2) in given
    assert " OR " in statement


def test_rows_are_fetched_in_small_portions(city: City, now: datetime, kind: str, table: Table) -> None:
    plan = plan_of(city, kind, now)
    table.rows = [row(n) for n in range(1, 12_001)]
    rows, _reading = read(plan, run_of(plan), size=20_000)
    assert len(rows) == 12_000
    assert max(table.fetches) <= 5_000


def test_checkpoint_never_passes_the_clock_of_the_source(city: City, now: datetime, kind: str, table: Table) -> None:
    table.rows.append(row(4, datetime(2099, 1, 1)))
    rows, reading = read(plan_of(city, kind, now), run_of(plan_of(city, kind, now)))
    assert len(rows) == 4
    assert reading.plan_checkpoint() == {"cursor": NOW.isoformat()}


def test_clock_going_backwards_stops_before_anything_is_read(city: City, now: datetime, kind: str, table: Table) -> None:
    plan = plan_of(city, kind, now)
    plan.checkpoint = {"cursor": "2026-03-01T12:00:00"}
    with pytest.raises(Invalid) as refused:
        read(plan, run_of(plan))
    assert refused.value.code == "source.clock_backwards"
    assert not [asked for asked, _ in table.asked if "place_cursor" in asked]


def test_row_with_a_nul_byte_is_a_reject_not_a_crash(city: City, now: datetime, kind: str, table: Table) -> None:
    table.rows = [row(1, XM="张\x00三")]
    rows, _reading = read(plan_of(city, kind, now), run_of(plan_of(city, kind, now)))
    assert (rows[0].fault, rows[0].values[1]) == ("row.nul", "张\ufffd三")


def test_same_cursor_and_key_twice_stops(city: City, now: datetime, kind: str, table: Table) -> None:
    table.rows = [row(1), row(1)]
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, kind, now), run_of(plan_of(city, kind, now)))
    assert refused.value.code == "source.key_not_unique"


ERRORS: dict[str, dict[str, tuple[Any, ...]]] = {
    "MYSQL": {
        "source.wrong_password": (1045, "Access denied for user 'secret'@'host'"),
        "source.table_gone": (1146, "Table 'x' doesn't exist"),
        "source.column_missing": (1054, "Unknown column"),
        "source.away": (2003, "Can't connect"),
        "source.database_gone": (1049, "Unknown database"),
        "source.timeout": (3024, "maximum statement execution time exceeded"),
        "source.refused": (1064, "syntax"),
    },
    "SQL_SERVER": {
        "source.wrong_password": (18456, b"Login failed for user 'secret'.DB-Lib error message 20018"),
        "source.table_gone": (208, b"Invalid object name"),
        "source.column_missing": (207, b"Invalid column name"),
        "source.away": (20009, b"DB-Lib error message 20009"),
        "source.database_gone": (4060, b"Cannot open database"),
        "source.refused": (102, b"Incorrect syntax"),
    },
    "ORACLE": {
        "source.wrong_password": ("ORA-01017: invalid username/password; logon denied",),
        "source.table_gone": ("ORA-00942: table or view does not exist",),
        "source.column_missing": ('ORA-00904: "X": invalid identifier',),
        "source.away": ("DPY-6005: cannot connect to database",),
        "source.database_gone": ("ORA-12514: listener does not currently know of service",),
        "source.timeout": ("DPY-4024: call timeout exceeded",),
        "source.refused": ("ORA-00933: SQL command not properly ended",),
    },
    "DM": {
        "source.wrong_password": ("[CODE:-2501]用户名或密码错误",),
        "source.table_gone": ("[CODE:-2106]无效的表或视图名",),
        "source.column_missing": ("[CODE:-2207]无效的列名",),
        "source.away": ("[CODE:-70028]创建SOCKET连接失败",),
        "source.refused": ("[CODE:-1]?",),
    },
}


def test_errors_of_the_driver_become_sentences_that_quote_nothing(city: City, now: datetime, kind: str, table: Table) -> None:
    for code, arguments in ERRORS[kind].items():
        table.refuses_login = DriverError(*arguments)
        with pytest.raises(DomainError) as refused:
            read(plan_of(city, kind, now), AggregationRun())
        assert refused.value.code == code
        assert isinstance(refused.value, Unavailable) == (code in ("source.away", "source.timeout"))
        assert "secret" not in str(refused.value.message)


def test_source_that_goes_away_when_its_rows_are_asked_for_is_waited_for(
    city: City, now: datetime, kind: str, table: Table
) -> None:
    plan = plan_of(city, kind, now)
    reading = CONNECTORS[kind].open(plan, run_of(plan))
    reading.begin()
    table.refusal = DriverError(*ERRORS[kind]["source.away"])
    with pytest.raises(Unavailable):
        list(reading.batch(1))
    reading.close()


def test_texts_that_are_not_in_the_encoding_of_their_database_are_told(city: City, now: datetime, kind: str, table: Table) -> None:
    plan = plan_of(city, kind, now)
    reading = CONNECTORS[kind].open(plan, run_of(plan))
    reading.begin()
    table.refusal = UnicodeDecodeError("utf-8", b"\xd0\xfe", 0, 1, "invalid start byte")
    with pytest.raises(Invalid) as refused:
        list(reading.batch(1))
    reading.close()
    assert refused.value.code == "source.encoding"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('FATAL:  password authentication failed for user "secret"', "source.wrong_password"),
        ('致命错误:  用户 "secret" Password 认证失败', "source.wrong_password"),
        ('FATAL:  database "x" does not exist', "source.database_gone"),
        ('致命错误:  数据库 "x" 不存在', "source.database_gone"),
        ("could not connect to server: Connection refused", "source.away"),
    ],
)
def test_login_that_failed_is_told_whatever_language_the_server_speaks(said: str, code: str) -> None:
    told = Postgresql().explain(Exception(said))
    assert (told.code, "secret" in str(told.message)) == (code, False)


@pytest.mark.parametrize(("kind_", "extra"), [("ORACLE", "oracle"), ("SQL_SERVER", "sqlserver"), ("DM", "dm")])
def test_missing_driver_names_the_extra_to_install(city: City, now: datetime, kind_: str, extra: str) -> None:
    with pytest.raises(Invalid) as refused:
        CONNECTORS[kind_].tables(place_of(plan_of(city, kind_, now)))
    assert refused.value.code == "connector.driver_missing"
    assert f"可选组件「{extra}」" in str(refused.value.message)


def test_dialect_of_dm_that_is_missing_counts_as_the_driver(city: City, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dmPython", ModuleType("dmPython"))
    monkeypatch.setattr(registry, "impls", {})
    with pytest.raises(Invalid) as refused:
        CONNECTORS["DM"].tables(place_of(plan_of(city, "DM", now)))
    assert refused.value.code == "connector.driver_missing"


def test_host_that_is_not_allowed_is_not_asked(city: City, now: datetime, kind: str, table: Table) -> None:
    plan = plan_of(city, kind, now)
    plan.settings["host"] = "10.1.2.3"
    with pytest.raises(Invalid) as refused:
        read(plan, run_of(plan))
    assert refused.value.code == "source.host_not_allowed"
    assert not table.asked


def test_type_that_changed_and_column_that_is_gone_stop_and_a_new_one_waits(
    city: City, now: datetime, kind: str, table: Table
) -> None:
    plan = plan_of(city, kind, now)
    read(plan, run_of(plan))
    AggregationRun.objects.all().delete()
    table.columns.append(("LXDH", "varchar(20)", "联系电话", 0))
    read(plan, run_of(plan))
    change = SchemaChange.objects.get()
    assert (change.column, change.comment, change.state) == ("LXDH", "联系电话", "PENDING")
    AggregationRun.objects.all().delete()
    table.columns[2] = ("GMSFHM", "bigint", "", 0)
    with pytest.raises(Invalid) as refused:
        read(plan, run_of(plan))
    assert refused.value.code == "source.type_changed"
    assert "GMSFHM：varchar → bigint" in str(refused.value.message)
    table.columns[2] = ("SFZH", "varchar(50)", "", 0)
    with pytest.raises(Invalid) as refused:
        read(plan, run_of(plan) if not AggregationRun.objects.exists() else AggregationRun.objects.get())
    assert refused.value.code == "source.column_missing"
    assert "缺少字段：GMSFHM" in str(refused.value.message)
    assert "SFZH，可能是改名" in str(refused.value.message)


def test_check_shows_columns_and_masked_rows(city: City, now: datetime, kind: str, table: Table) -> None:
    table.rows = [(1, MOMENT, *person(1).values())]
    report = checking.check(place_of(plan_of(city, kind, now)))
    assert [step.is_good for step in report.steps][:2] == [True, True]
    assert report.columns[0].comment == "编号"
    assert person(1)["GMSFHM"] not in str(report.sample)
    assert "张1" not in str(report.sample)


def test_mysql_statement_is_quoted_in_its_own_way(city: City, now: datetime, monkeypatch: pytest.MonkeyPatch, table: Table) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", fake_databases.driver("pymysql", table))
    plan = plan_of(city, "MYSQL", now)
    reading: Any = CONNECTORS["MYSQL"].open(plan, run_of(plan, cursor="2026-03-01T08:30:02", key="2"))
    reading.begin()
    text = str(reading.query().compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True}))
    assert "FROM `RK_JBXX`" in text
    assert "`GXSJ` >= '2026-03-01 08:30:02'" in text
    assert "ORDER BY `GXSJ`, `ID`" in text


@pytest.mark.parametrize(
    ("data_type", "family"),
    [("timestamp(6) with time zone", "TIME"), ("NUMBER(10,0)", "NUMBER"), ("nvarchar2", "TEXT"), ("geometry", "GEOMETRY"),
     ("longblob", "BINARY"), ("bigint unsigned", "NUMBER"), ("interval", "TEXT"), ("uuid", "TEXT")],
)  # fmt: skip
def test_families_of_types(data_type: str, family: str) -> None:
    assert family_of(data_type) == family


def test_password_of_a_place_is_in_no_representation() -> None:
    assert "hush" not in repr(Place("MYSQL", {}, "hush", {}))
