"""What is asked of a layer (要素请求): the query string of items, one feature or a tile, read once and checked.

A parameter nobody knows, one that stands twice and one with a wrong value are refused with 400 and their name (OGC API -
Features Part 1, /req/core/query-param-unknown and -invalid); no value is ever repeated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from math import isfinite
from typing import Any, Final
from urllib.parse import parse_qsl

from core.calendar import SHANGHAI
from exchange.calls.refusals import Refusal
from exchange.calls.values import printable
from exchange.features.filters import NUMBER, Condition, equal_to, read_filter
from exchange.features.layers import Layer
from exchange.features.reference_systems import CRS84, OFFERED, is_latitude_first

LIMIT: Final = 100
LIMIT_AT_MOST: Final = 1_000
QUERY_AT_MOST: Final = 8_192
ITEMS: Final = ("bbox", "bbox-crs", "crs", "datetime", "limit", "after", "count", "filter", "filter-lang", "filter-crs", "f")
ITEM: Final = ("crs", "f")
CONTEXT: Final = ("matter", "officer", "case")
CONTROL: Final = "parameter."
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d))?")
KEY: Final = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A well-formed request for features. `conditions` are what they must meet; `period` the days asked about, None is open."""

    crs: str = CRS84
    limit: int = LIMIT
    after: str = ""
    bbox: str = ""  # EWKT in EPSG:4490, longitude first
    period: tuple[date | None, date | None] | None = None
    conditions: tuple[Condition, ...] = ()
    is_counted: bool = False
    format: str = ""
    context: dict[str, Any] = field(default_factory=dict)


def read_query(query: str) -> dict[str, str]:
    """Return the parameters of a query string, each standing once."""
    if len(query) > QUERY_AT_MOST:
        raise wrong(query="too_long")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=50, errors="strict")
    except ValueError:
        raise wrong(query="malformed") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        names = [name for name, _ in pairs]
        raise Refusal("features.invalid_parameter", {printable(n): "stands_twice" for n in given if names.count(n) > 1})
    if any("\x00" in value for value in given.values()):
        raise wrong(query="holds_a_nul")
    return given


def read_items(query: str, layer: Layer) -> Asked:
    """Return what a request for a page of features asks."""
    given = read_query(query)
    queryables = layer.queryables()
    check_known(given, (*ITEMS, *queryables))
    conditions = [
        equal_to(layer, queryables[name], value, name)
        for name, value in given.items() if name in queryables and name not in ITEMS
    ]  # fmt: skip
    for name, allowed in (("filter-lang", ("cql2-text",)), ("filter-crs", (CRS84,)), ("count", ("true", "false"))):
        if given.get(name, allowed[0]) not in allowed:
            raise wrong(**{name: "not_offered"})
    if "filter" in given:
        conditions.append(read_filter(given["filter"], layer))
    box_crs = _crs(given, "bbox-crs")
    return Asked(
        crs=_crs(given, "crs"),
        limit=_limit(given.get("limit")),
        after=_after(given.get("after", "")),
        bbox=_bbox(given["bbox"], box_crs) if "bbox" in given else "",
        period=read_period(given["datetime"]) if "datetime" in given else None,
        conditions=tuple(conditions),
        is_counted=given.get("count") == "true",
        format=_format(given),
        context=context_of(given),
    )


def read_item(query: str) -> Asked:
    """Return what a request for one feature asks."""
    given = read_query(query)
    check_known(given, ITEM)
    return Asked(crs=_crs(given, "crs"), format=_format(given), context=context_of(given))


def read_tile(query: str) -> Asked:
    """Return what a request for a tile asks, which is nothing but what the call is for."""
    given = read_query(query)
    check_known(given, ())
    return Asked(context=context_of(given))


def check_known(given: dict[str, str], known: tuple[str, ...]) -> None:
    """Refuse parameters nobody knows, by name."""
    unknown = [name for name in given if name not in (*known, *CONTEXT) and not name.startswith(CONTROL)]
    if unknown:
        raise Refusal("features.unknown_parameter", dict.fromkeys(map(printable, unknown), "unknown"))


def context_of(given: dict[str, str]) -> dict[str, Any]:
    """Return what the request says about the caller's business, in the form a body of a call says it."""
    context: dict[str, Any] = {}
    if named := {name: given[name] for name in CONTEXT if name in given}:
        context["context"] = named
    if controlled := {name.removeprefix(CONTROL): value for name, value in given.items() if name.startswith(CONTROL)}:
        context["parameters"] = controlled
    return context


def wrong(**why: str) -> Refusal:
    """Return the refusal of parameters with wrong values."""
    return Refusal("features.invalid_parameter", why)


def _format(given: dict[str, str]) -> str:
    if given.get("f", "json") not in ("json", "html"):
        raise wrong(f="only_json_or_html")
    return given.get("f", "")


def _crs(given: dict[str, str], name: str) -> str:
    uri = given.get(name, CRS84)
    if uri not in OFFERED:
        raise wrong(**{name: "not_offered"})
    return uri


def _limit(text: str | None) -> int:
    """Return the number of features asked for; more than the most is the most (Part 1, /req/core/fc-limit-definition)."""
    if text is None:
        return LIMIT
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) == 0:
        raise wrong(limit="not_a_positive_integer")
    return min(int(text), LIMIT_AT_MOST)


def _after(text: str) -> str:
    if text and not KEY.fullmatch(text):
        raise wrong(after="not_from_a_next_link")
    return text


def _bbox(text: str, crs: str) -> str:
    """Return a bounding box as EWKT; one that crosses the antimeridian is two boxes. Heights are not looked at."""
    parts = text.split(",")
    if len(parts) not in (4, 6) or not all(NUMBER.fullmatch(part.strip()) for part in parts):
        raise wrong(bbox="not_four_or_six_numbers")
    numbers = [float(part) for part in parts]
    low, high = numbers[:2], numbers[len(parts) // 2 : len(parts) // 2 + 2]
    if is_latitude_first(crs):
        low, high = low[::-1], high[::-1]
    (west, south), (east, north) = low, high
    if not all(map(isfinite, numbers)) or not all(-180 <= x <= 180 for x in (west, east)):
        raise wrong(bbox="outside_the_reference_system")
    if not -90 <= south <= north <= 90:
        raise wrong(bbox="outside_the_reference_system")
    sides = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    parts = [_part(a, south, b, north) for a, b in sides]
    return f"SRID=4490;{parts[0]}" if len(parts) == 1 else f"SRID=4490;GEOMETRYCOLLECTION ({', '.join(parts)})"


def _part(west: float, south: float, east: float, north: float) -> str:
    """Return a box as WKT; without a width or a height it is a line, without both a point: as a polygon nothing would touch it."""
    if west == east and south == north:
        return f"POINT ({west} {south})"
    if west == east or south == north:
        return f"LINESTRING ({west} {south}, {east} {north})"
    return f"POLYGON (({west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}))"


def read_period(text: str) -> tuple[date | None, date | None]:
    """Return the days of an instant or an interval (RFC 3339), in Shanghai; None is an open end."""
    parts = text.split("/")
    if len(parts) > 2 or (len(parts) == 2 and all(part in ("", "..") for part in parts)):
        raise wrong(datetime="not_an_instant_or_interval")
    days = [None if len(parts) == 2 and part in ("", "..") else _day(part) for part in parts]
    first, last = days[0], days[-1]
    if first is not None and last is not None and first > last:
        raise wrong(datetime="ends_before_it_begins")
    return first, last


def _day(text: str) -> date:
    if not INSTANT.fullmatch(text):
        raise wrong(datetime="not_an_instant_or_interval")
    try:
        if len(text) == len("2026-01-01"):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00")).astimezone(SHANGHAI).date()
    except (ValueError, OverflowError):
        raise wrong(datetime="not_an_instant_or_interval") from None
