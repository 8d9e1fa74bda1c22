"""Pages of JSON from an interface (接口分页读取): a list at a place in each answer, page after page; what a plan may say of it.

How a page is asked for, and how far a source may lead us, stands in `http_paging`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from core.errors import Invalid
from exchange.aggregation.connector import Reading
from exchange.aggregation.connectors.http_paging import columns_of, first_page, page_of, rows_of, total_of
from exchange.aggregation.connectors.http_reading import HttpReading
from exchange.aggregation.connectors.terms import Place, Source, Table, is_number
from exchange.models import AggregationPlan, AggregationRun
from exchange.sources import pointers
from exchange.sources.hosts import check_url, is_address

PAGINGS: Final = ("NEXT_LINK", "PAGE_NUMBER", "CURSOR", "NONE")
HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")


class HttpPages:
    """An interface that hands out its rows in pages."""

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise Invalid for an address that is none or not allowed, and for a paging that cannot work."""
        faults: dict[str, str] = {}
        if not is_address(str(settings.get("url") or "")):
            faults["url"] = _("请填写完整的 http 或 https 地址，不含用户名和口令。")
        paging = settings.get("paging", "NONE")
        if paging not in PAGINGS:
            faults["paging"] = _("请选择分页方式。")
        for name in ("items", "next", "total"):
            if not pointers.is_pointer(str(settings.get(name) or "")):
                faults[name] = _("请填写 JSON 指针，例如 /data/list。")
        if paging in ("NEXT_LINK", "CURSOR") and not settings.get("next"):
            faults["next"] = _("请填写下一页地址或游标在应答中的位置。")
        if paging in ("PAGE_NUMBER", "CURSOR") and not settings.get("parameter"):
            faults["parameter"] = _("请填写页码或游标的参数名。")
        faults |= {name: _("请填写整数。") for name in ("first", "size") if not is_number(settings.get(name), 0, 10_000)}
        if settings.get("header") and not HEADER.fullmatch(str(settings["header"])):
            faults["header"] = _("请求头名称不正确。")
        if faults:
            raise Invalid("plan.settings_invalid", _("接口接入参数不正确。"), faults)
        check_url(str(settings["url"]), "url")

    def tables(self, place: Place) -> list[Table]:
        """An interface is one table."""
        return [Table(urlsplit(str(place.settings["url"])).path or "/")]

    @contextmanager
    def look(self, place: Place) -> Iterator[Source]:
        """Ask for the first page."""
        self.check_settings(place.settings)
        yield _HttpSource(place.settings, page_of(place, first_page(place.settings)))

    def open(self, plan: AggregationPlan, run: AggregationRun) -> Reading:
        """Return the reading of one run."""
        self.check_settings(plan.settings)
        return HttpReading(plan, run)


class _HttpSource:
    """The first page; see `terms.Source`."""

    def __init__(self, settings: Mapping[str, Any], document: Any) -> None:
        self._settings, self._document = settings, document
        self._rows = rows_of(document, settings)
        self.columns = columns_of(self._rows)

    def count(self) -> int | None:
        """What the interface says, if it does."""
        return total_of(self._document, self._settings)

    def sample(self, size: int) -> list[dict[str, str | None]]:
        """Return the first rows."""
        return [
            {column.name: pointers.text_at(row, f"/{_escaped(column.name)}") for column in self.columns}
            for row in self._rows[:size]
        ]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
