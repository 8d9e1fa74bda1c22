"""The pages of an interface on their way in (接口读取): from the page a run had reached, rows that come twice left out.

A page that shifts while it is read may repeat rows of the one before: what was handed out from the last two pages is not handed
out again. Columns are held against the schema with the first page, before anything is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from basedb.intake.contract import NUL_BYTE
from basedb.staging import RawRow
from core.errors import Invalid
from exchange.aggregation import schema_drift
from exchange.aggregation.connector import fields_of
from exchange.aggregation.connectors import http_paging
from exchange.aggregation.connectors.json_files import whole
from exchange.aggregation.connectors.terms import place_of
from exchange.models import AggregationPlan, AggregationRun

MOST_PAGES = 100_000


class HttpReading:
    """See `connector.Reading`. The checkpoint is the page, its number, how many of its rows are done, and the highest cursor."""

    def __init__(self, plan: AggregationPlan, run: AggregationRun) -> None:
        self.plan, self.run = plan, run
        self.state: dict[str, Any] = dict(run.checkpoint)
        self.expected: int | None = None
        self.is_exhausted = False
        self._handed = run.read_count
        self._place = place_of(plan)
        self._rows: list[dict[str, Any]] = []
        self._document: Any = None
        self._recent: tuple[set[bytes], set[bytes]] = (set(), set())

    def begin(self) -> None:
        """Ask for the page the run had reached, compare its names with the mapping, see how many rows there are in all."""
        if "page" not in self.state:
            self.state = {"page": http_paging.first_page(self.plan.settings, self._since()), "number": 1, "done": 0}
        self._turn_to(self.state["page"])
        if self._rows:
            self._compare()
        self.expected = http_paging.total_of(self._document, self.plan.settings)
        self._started_at = timezone.now()

    def _compare(self) -> None:
        """A name that stands in no row of a page may only be empty there: known names count as there."""
        columns = http_paging.columns_of(self._rows)
        known = schema_drift.known_columns(self.plan)
        names = {column.name for column in columns}
        missing = tuple(column for column in known if column.name not in names and not self._is_needed(column.name))
        schema_drift.compare(self.plan, [*columns, *missing], now=timezone.now())

    def _is_needed(self, name: str) -> bool:
        return name in self._place.wanted

    def _since(self) -> str:
        text = self.plan.checkpoint.get("cursor")
        if not text:
            return ""
        try:
            return (datetime.fromisoformat(text) - timedelta(seconds=self.plan.lag_seconds)).isoformat()
        except ValueError:
            said = _("增量字段「%(name)s」不是日期或时间类型，无法回看迟到的记录，请改用时间字段或不设增量字段。")
            raise Invalid("source.cursor_not_time", said % {"name": self.plan.cursor_column}) from None

    def _turn_to(self, url: str) -> None:
        self._document = http_paging.page_of(self._place, url)
        self._rows = http_paging.rows_of(self._document, self.plan.settings)
        self._recent = (self._recent[1], set())

    def _next(self) -> bool:
        """Go to the next page; return whether there is one."""
        number, page = self.state["number"], self.state["page"]
        following = http_paging.next_page(self.plan.settings, page, self._document, number)
        if following is None:
            return False
        if following == page or number >= MOST_PAGES:
            raise Invalid("source.page_loops", _("接口的下一页就是本页，读取没有进展，已停止。"))
        before = self._document
        self._turn_to(following)
        if self._rows and self._document == before:
            raise Invalid("source.page_loops", _("接口的下一页就是本页，读取没有进展，已停止。"))
        self.state = {**self.state, "page": following, "number": number + 1, "done": 0}
        return bool(self._rows)

    def batch(self, size: int) -> Iterator[RawRow]:
        """Hand out the next rows, turning pages on the way."""
        handed = 0
        while handed < size:
            if self.state["done"] >= len(self._rows):
                if self._next():
                    continue
                self.is_exhausted = True
                return
            row = self._rows[self.state["done"]]
            self.state = {**self.state, "done": self.state["done"] + 1, **self._reached(row)}
            mark = hashlib.md5(json.dumps(row, sort_keys=True).encode(), usedforsecurity=False).digest()
            if mark in self._recent[0]:
                continue
            self._recent[1].add(mark)
            handed += 1
            self._handed += 1
            yield self._row(handed, row)

    def _reached(self, row: dict[str, Any]) -> dict[str, str]:
        """The highest cursor so far, never beyond the clock: a row dated ahead must not hide others."""
        text = _text(row.get(self.plan.cursor_column)) if self.plan.cursor_column else None
        if not text:
            return {}
        return {"cursor": max(self.state.get("cursor", ""), self._not_ahead(text))}

    def _not_ahead(self, text: str) -> str:
        """Return a moment, or the clock in its zone and form where it lies ahead; what is no time is refused by the next run."""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        if (moment if moment.tzinfo else timezone.make_aware(moment)) <= self._started_at:
            return text
        clock = self._started_at.astimezone(moment.tzinfo) if moment.tzinfo else timezone.make_naive(self._started_at)
        return clock.isoformat(sep=text[10] if len(text) > 10 else "T")

    def _row(self, number: int, row: dict[str, Any]) -> RawRow:
        texts = [_text(row.get(self.plan.columns[field])) for field in fields_of(self.plan)]
        key = _text(row.get(self.plan.key_column)) or "" if self.plan.key_column else ""
        since = _text(row.get(self.plan.valid_from_column)) if self.plan.valid_from_column else None
        gone = bool(self.plan.tombstone_column) and _text(row.get(self.plan.tombstone_column)) == self.plan.tombstone_value
        fault = ""
        if any("\x00" in text for text in texts if text):
            fault, texts = NUL_BYTE, [text and text.replace("\x00", "\ufffd") for text in texts]
        return RawRow(number, texts, None, key, fault, valid_from=since, gone=gone)

    def plan_checkpoint(self) -> dict[str, Any]:
        """The next run asks from the highest cursor on, if the plan has one and all rows were read: pages are in no order of it."""
        is_whole = self.is_exhausted and self.expected in (None, self._handed)
        return {"cursor": self.state["cursor"]} if is_whole and "cursor" in self.state else dict(self.plan.checkpoint)

    def settle(self, run: AggregationRun, *, done: bool, now: datetime) -> str:
        """Nothing beyond the checkpoint."""
        return ""

    def close(self) -> None:
        """Nothing stays open between pages."""


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return whole(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
