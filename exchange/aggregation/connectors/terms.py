"""What connectors speak of (接入用语): places, columns, tables, what a check found. Pure.

A place is where rows come from and how to get there; it is the same for a plan and for one that is still being laid down.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from exchange.models import AggregationPlan, AggregationRun, PlanDraft
from exchange.sealed_passwords import password_of

if TYPE_CHECKING:
    from exchange.aggregation.connector import Reading

SAMPLE_ROWS = 5
_LENGTHS = re.compile(r"\s*\([^)]*\)")


class Family(StrEnum):
    """What a type is good for."""

    TEXT = "TEXT"
    NUMBER = "NUMBER"
    TIME = "TIME"
    GEOMETRY = "GEOMETRY"
    BINARY = "BINARY"


_FAMILIES = (
    (Family.GEOMETRY, re.compile(r"geometry|geography|sdo_geometry|point|polygon|linestring|wkb", re.IGNORECASE)),
    (Family.TIME, re.compile(r"date|datetime|timestamp|smalldatetime", re.IGNORECASE)),
    (
        Family.NUMBER,
        re.compile(r"(small|tiny|medium|big)?int(eger)?\d*\b|.*serial|num|dec|float|double|real|.*money", re.IGNORECASE),
    ),
    (Family.BINARY, re.compile(r"bytea|.*blob|.*binary|raw|long raw|image|rowversion|bfile", re.IGNORECASE)),
)


def family_of(data_type: str) -> Family:
    """Return what a type of any of the databases is good for; an unknown one is text."""
    return next((family for family, form in _FAMILIES if form.match(data_type)), Family.TEXT)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a source, its type as the source writes it."""

    name: str
    data_type: str = ""
    comment: str = ""
    is_key: bool = False

    @property
    def family(self) -> Family:
        """What its type is good for."""
        return family_of(self.data_type)

    @property
    def base_type(self) -> str:
        """The type without its lengths: a longer text is no other type."""
        return _LENGTHS.sub("", self.data_type).strip().lower()


@dataclass(frozen=True, slots=True)
class Table:
    """A table, view or file; `rows` is an estimate of the source's own, None when it has none."""

    name: str
    comment: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows come from and what is wanted there."""

    connector: str
    settings: Mapping[str, Any]
    password: str = field(repr=False)
    columns: Mapping[str, str]
    key_column: str = ""
    cursor_column: str = ""
    others: tuple[str, ...] = ()  # columns that say since when a row holds, and that it has ended
    dataset: str = ""

    @property
    def wanted(self) -> list[str]:
        """The columns that must be there, each once."""
        names = [*self.columns.values(), self.key_column, self.cursor_column, *self.others]
        return [name for name in dict.fromkeys(names) if name]


def place_of(plan: AggregationPlan) -> Place:
    """Return the place of a plan."""
    return Place(
        connector=plan.connector,
        settings=plan.settings,
        password=password_of(plan),
        columns=plan.columns,
        key_column=plan.key_column,
        cursor_column=plan.cursor_column,
        others=(plan.valid_from_column, plan.tombstone_column),
        dataset=plan.dataset,
    )


def place_of_draft(draft: PlanDraft) -> Place:
    """Return the place of a plan that is being laid down."""
    return Place(
        connector=draft.connector,
        settings=draft.settings,
        password=password_of(draft),
        columns=draft.mapping.get("columns", {}),
        key_column=draft.mapping.get("key_column", ""),
        cursor_column=draft.mapping.get("cursor_column", ""),
        dataset=draft.dataset,
    )


class Source(Protocol):
    """An open source, to look at."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are there, in their order."""
        ...

    def count(self) -> int | None:
        """Return how many rows there are, None when only reading to the end would tell."""
        ...

    def sample(self, size: int) -> list[dict[str, str | None]]:
        """Return the first rows as texts by column."""
        ...


class Connector(Protocol):
    """A kind of source. Everything wrong with one is a DomainError with a Chinese sentence."""

    def check_settings(self, settings: Mapping[str, Any]) -> None:
        """Raise Invalid for parameters that cannot work."""
        ...

    def tables(self, place: Place) -> list[Table]:
        """Return what could be read there."""
        ...

    def look(self, place: Place) -> AbstractContextManager[Source]:
        """Open the place's table or newest file."""
        ...

    def open(self, plan: AggregationPlan, run: AggregationRun) -> Reading:
        """Return the reading of one run."""
        ...


def is_number(value: Any, least: int, most: int) -> bool:
    """Return whether a setting is a whole number in these bounds, or not given."""
    return value in (None, "") or (str(value).isascii() and str(value).isdecimal() and least <= int(value) <= most)


def fingerprint(columns: Mapping[str, str]) -> str:
    """Return the digest of a schema: names and types, whatever their order."""
    text = json.dumps(dict(columns), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def first(rows: Iterator[dict[str, str | None]], size: int) -> list[dict[str, str | None]]:
    """Return the first rows of a stream."""
    return [row for _, row in zip(range(size), rows, strict=False)]
