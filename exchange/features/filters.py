"""Filters (过滤条件): CQL2 text and plain property parameters, compiled to SQL over what a layer lets be filtered by.

The tree is pygeofilter's; the grammar is our own, since the library's reads OR before AND and knows no doubled quote. Names
become columns of the contract or are refused, values become parameters: no text of a caller ever stands in the SQL.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any, Final

import pygeofilter.parsers
from django.contrib.gis.gdal import GDALException
from django.contrib.gis.geos import GEOSException, GEOSGeometry
from lark import Lark, v_args
from lark.exceptions import LarkError
from pygeofilter import ast, values
from pygeofilter.parsers.cql2_text.parser import CQLTransformer

from basedb.dictionary import DataType
from basedb.lookup import ROW, Column
from basedb.precision import cell_of, reduced_sql
from core.calendar import SHANGHAI
from exchange.calls.refusals import Refusal
from exchange.calls.values import VALUE_AT_MOST, printable
from exchange.features.layers import Layer

VALUE: Final = "<<?>>"  # where a value of a condition goes
FILTER_AT_MOST: Final = 2_000
DEPTH_AT_MOST: Final = 20
LIST_AT_MOST: Final = 100
POINTS_AT_MOST: Final = 500
NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,2})?", re.ASCII)
KINDS: Final = {DataType.TEXT: "text", DataType.NUMBER: "numeric", DataType.DATE: "date"}

# Precedence as OGC 21-065r2 has it: OR binds least, then AND, then NOT.
GRAMMAR: Final = r"""
?start: either
?either: both | either "OR"i both -> or_
?both: single | both "AND"i single -> and_
?single: predicate | "NOT"i single -> not_ | "(" either ")" | BOOLEAN -> truth
?predicate: operand "=" operand -> eq
    | operand "<>" operand -> ne
    | operand "<" operand -> lt
    | operand "<=" operand -> lte
    | operand ">" operand -> gt
    | operand ">=" operand -> gte
    | operand "LIKE"i SINGLE_QUOTED -> like
    | operand "NOT"i "LIKE"i SINGLE_QUOTED -> not_like
    | operand "BETWEEN"i operand "AND"i operand -> between
    | operand "NOT"i "BETWEEN"i operand "AND"i operand -> not_between
    | operand "IN"i "(" operand ("," operand)* ")" -> in_
    | operand "NOT"i "IN"i "(" operand ("," operand)* ")" -> not_in
    | operand "IS"i "NULL"i -> null
    | operand "IS"i "NOT"i "NULL"i -> not_null
    | INTERSECTS "(" operand "," shape ")" -> binary_spatial_predicate
?operand: attribute | number | SINGLE_QUOTED
    | _DAY "(" SINGLE_QUOTED ")" -> a_date
    | _MOMENT "(" SINGLE_QUOTED ")" -> a_timestamp
?shape: wkt -> geometry
    | "BBOX"i "(" number "," number "," number "," number ")" -> box
?number: SIGNED_FLOAT -> a_number | SIGNED_INT -> a_number
attribute: NAME | DOUBLE_QUOTED
INTERSECTS: "S_INTERSECTS"i
_DAY.2: /DATE(?=\s*\()/i
_MOMENT.2: /TIMESTAMP(?=\s*\()/i
BOOLEAN.2: "TRUE"i | "FALSE"i
NAME: /[A-Za-z_][A-Za-z0-9_]*/
DOUBLE_QUOTED: /"[^"]*"/
SINGLE_QUOTED: /'(?:[^'\\]|''|\\.)*'/
%import wkt.geometry -> wkt
%import common.SIGNED_INT
%import common.SIGNED_FLOAT
%import common.WS_INLINE
%ignore WS_INLINE
"""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a feature must meet: SQL with a mark for each value, and the values with the types they are compared as."""

    sql: str
    values: tuple[tuple[str, Any], ...]


@v_args(meta=False, inline=True)
class _Reader(CQLTransformer):  # type: ignore[misc]
    """Tokens of our grammar as the library's transformer wants them."""

    def SINGLE_QUOTED(self, token: str) -> str:  # noqa: N802
        return token[1:-1].replace("''", "'").replace("\\'", "'")

    def truth(self, is_true: bool) -> Any:
        return ast.Include(not is_true)

    def a_number(self, token: str) -> int | float:
        return int(token) if token.lstrip("+-").isdecimal() else float(token)

    def a_date(self, text: str) -> date:
        return date.fromisoformat(text)

    def a_timestamp(self, text: str) -> date:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(SHANGHAI).date()

    def box(self, west: float, south: float, east: float, north: float) -> values.Geometry:
        sides = [(west, east)] if west <= east else [(west, 180), (-180, east)]  # the second crosses the antimeridian
        rings = [[[a, south], [b, south], [b, north], [a, north], [a, south]] for a, b in sides]
        return values.Geometry({"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]})

    def wkt__multipoint_2(self, *coordinates: Any) -> dict[str, Any]:  # the library's prints what was asked
        return {"type": "MultiPoint", "coordinates": coordinates}


@lru_cache(maxsize=1)
def _parser() -> Lark:
    folder = str(Path(pygeofilter.parsers.__file__ or "").parent)
    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=False, transformer=_Reader(), import_paths=[folder])


def read_filter(text: str, layer: Layer) -> Condition:
    """Return the condition of a CQL2 text, or refuse it."""
    if len(text) > FILTER_AT_MOST:
        raise refused("too_long")
    try:
        tree = _parser().parse(text)
    except (LarkError, ValueError, OverflowError, RecursionError):
        raise refused("not_readable_as_cql2_text") from None
    return _Compiler(layer).compile(tree)


def equal_to(layer: Layer, column: Column, text: str, name: str) -> Condition:
    """Return the condition that an item has a value, as a parameter of its name asks."""
    kind = KINDS[layer.field(column).data_type]
    value = _written(kind, text)
    if value is None or len(value) > VALUE_AT_MOST:
        raise Refusal("features.invalid_parameter", {printable(name): "not_a_value_of_this_item"})
    return Condition(f"{ROW}.{column.field} = {VALUE}", ((kind, value),))


def _written(kind: str, text: str) -> str | None:
    """Return a value in a writing the database reads as its kind, which Python reads more of; None for what is no such value."""
    if kind == "numeric":
        return text.strip() if NUMBER.fullmatch(text.strip()) else None
    try:
        return str(date.fromisoformat(text)) if kind == "date" else text
    except ValueError:
        return None


def refused(why: str, name: str = "filter") -> Refusal:
    """Return the refusal of a filter."""
    return Refusal("features.invalid_filter", {printable(name): why})


class _Compiler:
    """One walk over a tree. Values are gathered in the order their marks stand."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._known = layer.queryables()
        self._values: list[tuple[str, Any]] = []

    def compile(self, tree: Any) -> Condition:
        sql = self._condition(tree, 0)
        return Condition(sql, tuple(self._values))

    def _condition(self, node: Any, depth: int) -> str:
        if depth > DEPTH_AT_MOST:
            raise refused("nested_too_deep")
        match node:
            case ast.And() | ast.Or():
                left, right = self._condition(node.lhs, depth), self._condition(node.rhs, depth + 1)
                return f"({left} {node.op.value} {right})"
            case ast.Not():
                return f"(NOT {self._condition(node.sub_node, depth + 1)})"
            case ast.Include():
                return "false" if node.not_ else "true"
        return self._predicate(node)

    def _predicate(self, node: Any) -> str:
        match node:
            case ast.GeometryIntersects():
                return self._intersects(node)
            case ast.Comparison():
                return self._compared(node)
            case ast.IsNull():
                return f"({self._column(node.lhs)[0]} IS {'NOT ' if node.not_ else ''}NULL)"
            case ast.Like() | ast.Between() | ast.In():
                return self._advanced(node)
        raise refused("not_a_condition")

    def _compared(self, node: ast.Comparison) -> str:
        if isinstance(node.lhs, ast.Attribute):
            column, kind = self._column(node.lhs)
            return f"({column} {node.op.value} {self._value(node.rhs, kind)})"
        column, kind = self._column(node.rhs)
        return f"({self._value(node.lhs, kind)} {node.op.value} {column})"

    def _advanced(self, node: ast.Like | ast.Between | ast.In) -> str:
        column, kind = self._column(node.lhs)
        negated = "NOT " if node.not_ else ""
        if isinstance(node, ast.Like):
            if kind != "text":
                raise refused("like_needs_a_text")
            return f"({column} {negated}LIKE {self._value(node.pattern, kind)})"
        if isinstance(node, ast.Between):
            return f"({column} {negated}BETWEEN {self._value(node.low, kind)} AND {self._value(node.high, kind)})"
        if len(node.sub_nodes) > LIST_AT_MOST:
            raise refused("list_too_long")
        return f"({column} {negated}IN ({', '.join(self._value(value, kind) for value in node.sub_nodes)}))"

    def _column(self, node: Any) -> tuple[str, str]:
        """Return the column of a name and the type it is compared as; what is not granted, or masked, is not there."""
        if not isinstance(node, ast.Attribute):
            raise refused("needs_the_name_of_an_item")
        name = str(node.name).strip('"')
        if name not in self._known:
            raise refused("not_queryable", name)
        column = self._known[name]
        return f"{ROW}.{column.field}", KINDS[self._layer.field(column).data_type]

    def _value(self, value: Any, kind: str) -> str:
        fits = {"text": str, "numeric": int | float, "date": date}[kind]
        if not isinstance(value, fits) or (isinstance(value, float) and not isfinite(value)):
            raise refused(f"needs_a_{kind}")
        if isinstance(value, str) and (len(value) > VALUE_AT_MOST or "\x00" in value):
            raise refused("text_too_long")
        self._values.append((kind, str(value)))
        return VALUE

    def _intersects(self, node: ast.GeometryIntersects) -> str:
        geometry = self._layer.geometry
        if not isinstance(node.lhs, ast.Attribute) or str(node.lhs.name).strip('"') not in (geometry.item, "geometry"):
            raise refused("not_the_geometry", str(getattr(node.lhs, "name", "filter")))
        self._values.append(("text", _ewkt(node.rhs.geometry)))
        stored = f"{ROW}.{geometry.field}"
        shape = f"ST_GeomFromEWKT({VALUE})"
        if (reduced := reduced_sql(geometry.mask, stored)) == stored:
            return f"ST_Intersects({stored}, {shape})"
        self._values.append(self._values[-1])
        width, height = cell_of(geometry.mask)
        return f"({stored} && ST_Expand({shape}, {width}, {height}) AND ST_Intersects({reduced}, {shape}))"


def _ewkt(geometry: dict[str, Any]) -> str:
    """Return a shape of a filter, longitude first, as EWKT; refuse what is no valid one."""
    try:
        shape = GEOSGeometry(json.dumps(geometry))
        is_good = shape.valid and shape.num_coords <= POINTS_AT_MOST
    except (GEOSException, GDALException, ValueError, TypeError):
        raise refused("not_a_valid_shape") from None
    west, south, east, north = shape.extent
    if not is_good or not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise refused("not_a_valid_shape")
    return f"SRID=4490;{shape.wkt}"
