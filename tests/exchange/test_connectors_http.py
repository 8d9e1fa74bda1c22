"""Interfaces that hand out pages: three ways of paging, resuming, what leads away or goes in circles, what is said of failures."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from basedb.staging import RawRow
from core.errors import DomainError, Invalid, Unavailable
from exchange.aggregation import checking
from exchange.aggregation.connectors import http_paging
from exchange.aggregation.connectors.registry import CONNECTORS
from exchange.aggregation.connectors.terms import place_of
from exchange.models import AggregationPlan, AggregationRun
from tests.exchange.aggregation_sources import COLUMNS, csv_plan, person, run_now
from tests.factories import City

Answer = Callable[[dict[str, str], dict[str, str]], tuple[int, Any]]


class Interface:
    """An interface of a department, for one test: `answer` gets parameters and headers."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _query, _headers: (200, {"data": []})
        self.asked: list[dict[str, str]] = []
        self.pause = 0.0  # after each byte of an answer
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                outer.asked.append(query)
                status, body = outer.answer(query, dict(self.headers))
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://10.0.0.1/")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                for part in [content] if not outer.pause else [content[n : n + 1] for n in range(len(content))]:
                    self.wfile.write(part)
                    time.sleep(outer.pause)

            def log_message(self, *_args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/people"


@pytest.fixture
def interface(settings: Any) -> Iterator[Interface]:
    interface = Interface()
    settings.SOURCE_HOSTS = (f"127.0.0.1:{interface.server.server_port}",)
    yield interface
    interface.server.shutdown()
    interface.server.server_close()


def plan_of(city: City, interface: Interface, paging: dict[str, Any] | None = None, **values: Any) -> AggregationPlan:
    settings = {"url": interface.url, "items": "/data", "header": "X-Key", **(paging or {})}
    given: dict[str, Any] = {"connector": "HTTP_PAGES", "settings": settings, "password": "hush", **values}
    return csv_plan(city.police, timezone.now(), **given)


def read(plan: AggregationPlan, size: int = 1000, **checkpoint: Any) -> tuple[list[RawRow], Any]:
    AggregationRun.objects.filter(plan=plan).update(state="FAILED")
    run = AggregationRun.objects.create(plan=plan, queued_at=timezone.now(), checkpoint=checkpoint)
    reading = CONNECTORS[plan.connector].open(plan, run)
    reading.begin()
    return list(reading.batch(size)), reading


def pages(interface: Interface, kind: str) -> tuple[Answer, dict[str, Any]]:
    """Seven people on pages of three."""
    people = [person(n) for n in range(1, 8)]

    def by_number(query: dict[str, str], _headers: dict[str, str]) -> tuple[int, Any]:
        start = (int(query.get("page", "1")) - 1) * 3
        return 200, {"data": people[start : start + 3], "total": 7}

    def by_cursor(query: dict[str, str], _headers: dict[str, str]) -> tuple[int, Any]:
        start = int(query.get("after", "0"))
        return 200, {"data": people[start : start + 3], "next": str(start + 3) if start + 3 < 7 else None}

    def by_link(query: dict[str, str], _headers: dict[str, str]) -> tuple[int, Any]:
        start = int(query.get("s", "0"))
        return 200, {"data": people[start : start + 3], "next": f"/people?s={start + 3}" if start + 3 < 7 else None}

    ways: dict[str, tuple[Answer, dict[str, Any]]] = {
        "PAGE_NUMBER": (by_number, {"parameter": "page", "total": "/total", "size_parameter": "n", "size": 3}),
        "CURSOR": (by_cursor, {"parameter": "after", "next": "/next"}),
        "NEXT_LINK": (by_link, {"next": "/next"}),
    }
    answer, settings = ways[kind]
    return answer, {"paging": kind, **settings}


@pytest.mark.parametrize("kind", ["PAGE_NUMBER", "CURSOR", "NEXT_LINK"])
def test_all_pages_are_read_and_a_run_is_resumed_in_the_middle_of_one(city: City, interface: Interface, kind: str) -> None:
    interface.answer, settings = pages(interface, kind)
    plan = plan_of(city, interface, settings)
    rows, reading = read(plan)
    assert [row.source_key for row in rows] == [person(n)["GMSFHM"] for n in range(1, 8)]
    assert reading.is_exhausted
    _rows, reading = read(plan, size=4)
    rows, reading = read(plan, **reading.state)
    assert [row.source_key for row in rows] == [person(n)["GMSFHM"] for n in range(5, 8)]


def test_row_that_slipped_onto_the_next_page_is_handed_out_once(city: City, interface: Interface) -> None:
    def shifting(query: dict[str, str], _headers: dict[str, str]) -> tuple[int, Any]:
        page = {"1": [1, 2, 3], "2": [3, 4, 5]}.get(query.get("page", "1"), [])
        return 200, {"data": [person(n) for n in page]}

    interface.answer = shifting
    rows, _reading = read(plan_of(city, interface, {"paging": "PAGE_NUMBER", "parameter": "page"}))
    assert [row.values[1] for row in rows] == ["张1", "张2", "张3", "张4", "张5"]


def test_next_run_asks_from_the_highest_cursor_less_the_window(city: City, interface: Interface) -> None:
    rows = [person(1) | {"at": "2026-03-01T08:00:00+08:00"}, person(2) | {"at": "2999-01-01T00:00:00+08:00"}]
    interface.answer = lambda _query, _headers: (200, {"data": rows})
    plan = plan_of(city, interface, {"since_parameter": "since"}, cursor_column="at", lag_seconds=60)
    _rows, reading = read(plan)
    assert reading.plan_checkpoint()["cursor"] < "2999"
    plan.checkpoint = {"cursor": "2026-03-01T08:00:00+08:00"}
    read(plan)
    assert interface.asked[-1]["since"] == "2026-03-01T07:59:00+08:00"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((401, {}), "source.wrong_password"),
        ((404, {}), "source.table_gone"),
        ((500, {}), "source.away"),
        ((302, {}), "source.refused"),
        ((200, b"<html>"), "source.not_json"),
        ((200, b"[" * 100_000), "source.not_json"),
        ((200, {"rows": []}), "source.items_missing"),
        ((200, {"data": [1]}), "source.items_missing"),
        ((200, {"data": [{"XM": "x"}]}), "source.column_missing"),
        ((200, b"0" * (33 << 20)), "source.page_too_large"),
    ],
)
def test_answer_that_cannot_be_taken_is_said_by_code(city: City, interface: Interface, answer: tuple[int, Any], code: str) -> None:
    interface.answer = lambda _query, _headers: answer
    with pytest.raises(DomainError) as refused:
        read(plan_of(city, interface))
    assert refused.value.code == code
    assert "hush" not in str(refused.value.message)


@pytest.mark.parametrize(
    "link", ["http://10.0.0.1/people", "//evil.example/people", "http://127.0.0.1:1/people", "ftp://127.0.0.1/x", "http://["]
)
def test_link_that_leads_to_another_host_is_not_followed(city: City, interface: Interface, link: str) -> None:
    interface.answer = lambda _query, _headers: (200, {"data": [person(1)], "next": link})
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, interface, {"paging": "NEXT_LINK", "next": "/next"}))
    assert refused.value.code == "source.link_leads_away"
    assert len(interface.asked) == 1


def test_pages_that_go_in_circles_stop(city: City, interface: Interface) -> None:
    interface.answer = lambda _query, _headers: (200, {"data": [person(1)], "next": "same"})
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, interface, {"paging": "CURSOR", "parameter": "after", "next": "/next"}))
    assert refused.value.code == "source.page_loops"


@pytest.mark.parametrize(
    "given",
    [{"url": "http://10.0.0.1/"}, {"url": "http://127.0.0.1/"}, {"url": "file:///etc/passwd"}, {"url": "http://u:p@127.0.0.1/"},
     {"paging": "NEXT_LINK"}, {"items": "data"}, {"header": "A: b"}],
)  # fmt: skip
def test_plan_that_could_not_work_or_should_not_is_refused(city: City, interface: Interface, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        plan_of(city, interface, given)
    assert refused.value.code in ("plan.settings_invalid", "source.host_not_allowed")
    assert not interface.asked


def test_key_travels_in_its_header_and_check_masks_what_it_shows(city: City, interface: Interface) -> None:
    keys: list[str] = []

    def answer(_query: dict[str, str], headers: dict[str, str]) -> tuple[int, Any]:
        keys.append(headers.get("X-Key", ""))
        return 200, {"data": [person(1) | dict.fromkeys(COLUMNS.values(), person(1)["GMSFHM"])], "total": 9}

    interface.answer = answer
    report = checking.check(place_of(plan_of(city, interface, {"total": "/total"})))
    assert (report.is_good, report.count, keys[0]) == (True, 9, "hush")
    assert person(1)["GMSFHM"] not in str(report.sample)


def test_pages_that_are_counted_from_nought_are_all_read(city: City, interface: Interface) -> None:
    interface.answer = lambda query, _headers: (200, {"data": [person(n) for n in {"0": [1, 2], "1": [3]}.get(query["page"], [])]})
    rows, _reading = read(plan_of(city, interface, {"paging": "PAGE_NUMBER", "parameter": "page", "first": 0}))
    assert [row.values[1] for row in rows] == ["张1", "张2", "张3"]


def test_run_cut_short_does_not_pass_over_the_pages_it_never_saw(city: City, interface: Interface) -> None:
    at = ["2026-03-03T08:00:00+08:00", "2026-03-01T08:00:00+08:00", "2026-03-02T08:00:00+08:00"]  # in the order of their numbers
    interface.answer = lambda query, _headers: (
        200, {"data": [person(n) | {"at": at[n - 1]} for n in {"1": [1, 2], "2": [3]}.get(query["page"], [])]},
    )  # fmt: skip
    paging = {"paging": "PAGE_NUMBER", "parameter": "page"}
    plan = plan_of(city, interface, paging, cursor_column="at")
    _rows, reading = read(plan, size=2)
    assert reading.plan_checkpoint() == {}
    assert list(reading.batch(2))
    assert reading.is_exhausted
    assert reading.plan_checkpoint() == {"cursor": at[0]}


def test_text_that_cannot_be_stored_does_not_stop_a_run(city: City, interface: Interface) -> None:
    interface.answer = lambda _query, _headers: (200, {"data": [person(1), person(2, XM="张\ud800二")]})
    run = run_now(plan_of(city, interface), city.actor("police_operator"))
    assert (run.state, run.read_count) == ("SUCCEEDED", 2)


def test_moments_of_another_zone_are_compared_as_moments(city: City, interface: Interface) -> None:
    at = (timezone.now() - timedelta(hours=1)).astimezone(ZoneInfo("Asia/Shanghai")).isoformat()
    interface.answer = lambda _query, _headers: (200, {"data": [person(1) | {"at": at}]})
    _rows, reading = read(plan_of(city, interface, cursor_column="at"))
    assert reading.plan_checkpoint() == {"cursor": at}


@pytest.mark.parametrize(("total", "state", "reached"), [(3, "SUCCEEDED", True), (5, "FAILED", False)])
def test_what_an_interface_counts_is_held_against_what_was_read(
    city: City, interface: Interface, total: int, state: str, reached: bool
) -> None:
    rows = [person(n) | {"at": f"2026-03-0{n}T08:00:00+08:00"} for n in (1, 2, 3)]
    interface.answer = lambda _query, _headers: (200, {"data": rows, "total": total})
    plan = plan_of(city, interface, {"total": "/total"}, cursor_column="at")
    run = run_now(plan, city.actor("police_operator"))
    plan.refresh_from_db()
    assert (run.state, run.expected_count, "cursor" in plan.checkpoint) == (state, total, reached)
    assert ("清单不符" in run.message) is (state == "FAILED")


def test_plan_of_an_interface_cannot_compare_all_keys(city: City, interface: Interface) -> None:
    with pytest.raises(Invalid) as refused:
        plan_of(city, interface, delete_mode="FULL_KEYS")
    assert refused.value.code == "plan.keys_not_listed"


def test_answer_that_drips_in_is_given_up_in_time(city: City, interface: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_paging, "PAGE_SECONDS", 0.2)
    interface.answer, interface.pause = lambda _query, _headers: (200, {"data": [person(1)]}), 0.02
    with pytest.raises(Unavailable):
        read(plan_of(city, interface))


def test_key_no_header_can_carry_is_told_to_be_one(city: City, interface: Interface) -> None:
    with pytest.raises(Invalid) as refused:
        read(plan_of(city, interface, password="绝密"))
    assert (refused.value.code, "绝密" in str(refused.value.message)) == ("source.wrong_password", False)


def test_count_nobody_can_mean_is_none(city: City, interface: Interface) -> None:
    interface.answer = lambda _query, _headers: (200, {"data": [person(1)], "total": "9" * 5000})
    rows, reading = read(plan_of(city, interface, {"total": "/total"}))
    assert (len(rows), reading.expected) == (1, None)
