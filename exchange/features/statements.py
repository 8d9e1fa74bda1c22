"""The SQL of map services (制图语句): GeoJSON and tiles are made in PostGIS, of the granted items, rows and precision alone.

An answer is one SELECT with the columns body and row_count. For calls it stands inside the statement that admits and records
them; for people signed in it is run as it is. What a mask of geometry moves or hides decides about boxes, filters and counts, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import count
from typing import Any, Final, NamedTuple

from basedb.cleaning import shown_sql
from basedb.dictionary import DataType
from basedb.dictionary.geography import SHIFTED_SQL
from basedb.lookup import ROW, Column, reach_sql
from basedb.masking import Mask, mask_sql
from basedb.precision import cell_of, reduced_sql
from basedb.sql_text import quote
from exchange.calls.company import asked_sql, out_of
from exchange.calls.statement import ADMITTED, ASKED, MEMBERS, record_sql
from exchange.features.asking import Asked
from exchange.features.filters import VALUE, Condition
from exchange.features.layers import Layer
from exchange.features.reference_systems import is_latitude_first

DIGITS: Final = 7  # of a degree: about a centimetre
TILE_EXTENT: Final = 4_096
TILE_BUFFER: Final = 64
TILE_ROWS: Final = 20_000
WHOLE_FROM_ZOOM: Final = 14  # from here on shapes are drawn as they are
CELLS_A_TILE: Final = 512  # below that zoom, coordinates move to a grid of so many cells, and points share one

Values = dict[str, Any]
Parameters = tuple[tuple[str, str], ...]

RECORDED: Final = """
WITH {asked},
signed AS MATERIALIZED (
    SELECT *, sha256({bytes}) AS digest FROM (
        SELECT asked.*, made.body, made.row_count FROM asked JOIN LATERAL {admitted} ON true CROSS JOIN LATERAL ({answer}) AS made
        OFFSET 0) AS answer
), recorded AS ({record})
SELECT place, body, encode(digest, 'hex'), row_count FROM signed"""
PAGE: Final = """
SELECT '{{"type":"FeatureCollection","features":[' || coalesce(string_agg({feature}, ',' ORDER BY number)
        FILTER (WHERE number <= <<limit>>), '') || '],"numberReturned":' || least(count(*), <<limit>>){matched}
    || ',"timeStamp":"' || to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '","links":[' || <<links>>
    || coalesce(',' || <<next>> || encode((array_agg(fid ORDER BY number) FILTER (WHERE number = <<limit>>
        AND total > <<limit>>))[1], 'hex') || '"}}', '') || ']}}' AS body,
    least(count(*), <<limit>>) AS row_count
FROM (SELECT *, row_number() OVER (ORDER BY fid) AS number, count(*) OVER () AS total FROM (
    SELECT {columns} FROM {table} {row} WHERE {condition} ORDER BY fid LIMIT <<limit>> + 1) AS picked) AS numbered"""
ONE: Final = """
SELECT coalesce(made.body, <<missing>>) AS body, (made.body IS NOT NULL)::int::bigint AS row_count FROM (SELECT 1) AS always
LEFT JOIN (SELECT {feature} AS body FROM (SELECT {columns} FROM {table} {row} WHERE {condition}) AS picked) AS made ON true"""
TILE: Final = """
SELECT coalesce(ST_AsMVT(drawn, <<layer>>, {extent}, 'shape'), '') AS body, count(*) AS row_count FROM (
    SELECT ST_AsMVTGeom(ST_Transform(picked.shape, 3857), bounds.tile, {extent}, {buffer}, true) AS shape, {properties}
    FROM (SELECT ST_TileEnvelope(<<z>>, <<x>>, <<y>>) AS tile) AS bounds, ({picked}) AS picked) AS drawn
WHERE shape IS NOT NULL"""
NOTE: Final = "coordinateNote"  # beside the items, whose names have no capitals: the shape is that of a consumer map, shifted
SHIFTED: Final = f"(CASE WHEN {ROW}.datum_note IN {SHIFTED_SQL} THEN {ROW}.datum_note END)"
BOX: Final = "(SELECT ST_Transform(ST_TileEnvelope(<<z>>, <<x>>, <<y>>, margin => {margin}), 4490))"


def reach_parameters(list_count: int) -> Parameters:
    """Return names and types of the parameters that limit the rows."""
    return ("region_prefix", "text"), *((f"list_{number}", "text[]") for number in range(list_count))


def condition_parameters(conditions: Sequence[Condition]) -> tuple[Parameters, Values]:
    """Return the parameters of conditions, in the order their marks stand."""
    given = [pair for condition in conditions for pair in condition.values]
    names = [f"v_{number}" for number in range(len(given))]
    return (
        tuple((name, "text") for name in names),
        {name: value for name, (_, value) in zip(names, given, strict=True)},
    )


def _numbered(conditions: Sequence[Condition]) -> list[str]:
    """Return the SQL of conditions with their marks numbered and typed."""
    numbers = count()
    told = []
    for condition in conditions:
        parts = condition.sql.split(VALUE)
        sql = parts[0]
        for (kind, _), part in zip(condition.values, parts[1:], strict=True):
            sql += f"<<v_{next(numbers)}>>::{kind}{part}"
        told.append(sql)
    return told


class _Form(NamedTuple):
    """What a page's statement depends on beside its layer and its conditions."""

    is_flipped: bool
    is_continued: bool
    is_boxed: bool
    has_first_day: bool
    has_last_day: bool
    is_counted: bool


def page_sql(layer: Layer, asked: Asked) -> str:
    """The SELECT of a page of features in the order of their keys, with the link to the next one."""
    first, last = asked.period or (None, None)
    is_flipped = is_latitude_first(asked.crs)
    form = _Form(is_flipped, bool(asked.after), bool(asked.bbox), first is not None, last is not None, asked.is_counted)
    return _page(layer, tuple(_numbered(asked.conditions)), form)


@lru_cache(maxsize=256)
def _page(layer: Layer, conditions: tuple[str, ...], form: _Form) -> str:
    limits = [_reach(layer), *conditions, *_days(layer, form)]
    if form.is_boxed:
        limits.append(_boxed(layer, "<<bbox>>", is_exact=True))
    total = f"(SELECT count(*) FROM {layer.table} {ROW} WHERE {' AND '.join(limits)})"
    if form.is_continued:
        limits.append(f"{ROW}.{layer.key} > <<after>>")
    return PAGE.format(
        feature=_feature(layer, flipped=form.is_flipped),
        matched=f" || ',\"numberMatched\":' || {total}" if form.is_counted else "",
        columns=_columns(layer),
        table=layer.table,
        row=ROW,
        condition=" AND ".join(limits),
    )


@lru_cache(maxsize=256)
def feature_sql(layer: Layer, *, is_flipped: bool) -> str:
    """The SELECT of one feature; what stands in `missing`, and a count of nought, when the grant does not reach it."""
    return ONE.format(
        feature=_feature(layer, flipped=is_flipped, links=True),
        columns=_columns(layer),
        table=layer.table,
        row=ROW,
        condition=f"{_reach(layer)} AND {ROW}.{layer.key} = <<fid>>",
    )


@lru_cache(maxsize=512)
def tile_sql(layer: Layer, zoom: int) -> str:
    """The SELECT of one vector tile. At small scales coordinates move to a coarser grid and points in one cell are one."""
    is_whole = zoom >= WHOLE_FROM_ZOOM
    shape = _shape(layer)
    limits = [_reach(layer), _boxed(layer, BOX.format(margin=TILE_BUFFER / TILE_EXTENT), is_exact=False)]
    if not is_whole:
        cell = 360 / 2**zoom / CELLS_A_TILE
        shape = f"ST_SnapToGrid({shape}, {cell:.9f})"
    columns = "".join(f", {_shown(layer, column)} AS {_named(column)}" for column in layer.properties)
    one_a_cell = "" if is_whole else f"DISTINCT ON (ST_SnapToGrid(ST_PointOnSurface({_shape(layer)}), {cell:.9f})) "
    picked = (
        f"SELECT {one_a_cell}{shape} AS shape, encode({ROW}.{layer.key}, 'hex') AS fid, {SHIFTED} AS \"{NOTE}\"{columns} "
        f"FROM {layer.table} {ROW} WHERE {' AND '.join(limits)}"
    )
    if not is_whole:  # the cells come side by side: too many are thinned out evenly, by key, or a part of the land would be empty
        picked = f'SELECT * FROM ({picked}) AS thinned ORDER BY fid COLLATE "C"'
    properties = ", ".join(["picked.fid", f'picked."{NOTE}"', *(f"picked.{_named(column)}" for column in layer.properties)])
    return TILE.format(extent=TILE_EXTENT, buffer=TILE_BUFFER, properties=properties, picked=f"{picked} LIMIT {TILE_ROWS}")


@lru_cache(maxsize=256)
def extent_sql(layer: Layer) -> str:
    """The SELECT of the box around the first few hundred features, to a hundredth of a degree."""
    box = f"SELECT ST_Extent(shape)::box2d AS box FROM (SELECT {_shape(layer)} AS shape FROM {layer.table} {ROW} "
    sides = ", ".join(f"round({side}(box)::numeric, 2)::float8" for side in ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax"))
    return f"SELECT {sides} FROM ({box} WHERE {_reach(layer)} LIMIT 500) AS sample) AS extent"


@lru_cache(maxsize=512)
def recorded(answer: str, parameters: Parameters, layer: Layer, *, is_text: bool) -> str:
    """The statement of calls of one form: each admitted, answered and recorded, or nothing."""
    columns = {**dict(ASKED), "region_prefix": "text", **dict(parameters)}
    return RECORDED.format(
        asked=asked_sql(columns),
        admitted=out_of("asked", ADMITTED, columns),
        answer=out_of("asked", answer, columns),
        bytes="convert_to(body, 'UTF8')" if is_text else "body",
        record=out_of("signed", record_sql("FEATURES", layer.selection, subject_key="NULL::bytea"), columns),
    )


PERSON_PARAMETERS: Final[Parameters] = (("grant_id", "bigint"),)


def _reach(layer: Layer) -> str:
    lists = [f"<<list_{number}>>" for number in range(len(layer.selection.rows.listed))]
    inside = reach_sql(layer.selection, region_prefix="<<region_prefix>>", lists=lists, members=MEMBERS)
    return f"{ROW}.withdrawn_at IS NULL AND {ROW}.{layer.geometry.field} IS NOT NULL AND {inside}"


def _days(layer: Layer, form: _Form) -> list[str]:
    """Whether a feature holds on one of the days asked about; what the layer does not tell does not limit."""
    begins, ends = layer.period()
    limits = [f"({ROW}.{begins} IS NULL OR {ROW}.{begins} <= <<last_day>>)"] if begins and form.has_last_day else []
    if ends and form.has_first_day:
        still = ">" if layer.is_end_exclusive else ">="
        limits.append(f"({ROW}.{ends} IS NULL OR {ROW}.{ends} {still} <<first_day>>)")
    return limits


def _boxed(layer: Layer, box: str, *, is_exact: bool) -> str:
    """Whether a feature touches a box, as far as it may be seen; the index is asked with the box made wider by a cell."""
    stored, shape = f"{ROW}.{layer.geometry.field}", _shape(layer)
    if shape == stored:
        return f"ST_Intersects({stored}, {box})" if is_exact else f"{stored} && {box}"
    width, height = cell_of(layer.geometry.mask)
    wider = f"{stored} && ST_Expand({box}, {width}, {height})"
    return f"{wider} AND ST_Intersects({shape}, {box})" if is_exact else f"{wider} AND {shape} && {box}"


def _shape(layer: Layer) -> str:
    return reduced_sql(layer.geometry.mask, f"{ROW}.{layer.geometry.field}")


def _columns(layer: Layer) -> str:
    told = [f"{ROW}.{layer.key} AS fid", f"{_shape(layer)} AS shape", f'{SHIFTED} AS "{NOTE}"']
    return ", ".join([*told, *(f"{_shown(layer, column)} AS {_named(column)}" for column in layer.properties)])


def _named(column: Column) -> str:
    """Return the name of an item inside a statement, where it cannot meet ours."""
    return f'"{column.item}"' if column.item not in ("fid", "shape") else f'"{column.item}_"'


def _shown(layer: Layer, column: Column) -> str:
    """Return an item as it may be seen: a number that is not masked stays one, anything else is text or null."""
    field = layer.field(column)
    stored = f"{ROW}.{field.name}"
    if column.mask is Mask.NONE and field.data_type is DataType.NUMBER:
        return f"{stored}::float8"
    return mask_sql(column.mask, shown_sql(field, stored))


def _feature(layer: Layer, *, flipped: bool, links: bool = False) -> str:
    shape = "ST_FlipCoordinates(shape)" if flipped else "shape"
    pairs = ", ".join(f"{quote(column.item)}, {_named(column)}" for column in layer.properties)
    return (
        f'\'{{"type":"Feature","id":"\' || encode(fid, \'hex\') || \'","geometry":\' || ST_AsGeoJSON({shape}, {DIGITS}, 0) '
        f"|| ',\"properties\":' || json_build_object({pairs})::text"
        f"|| coalesce(',\"{NOTE}\":\"' || \"{NOTE}\" || '\"', ''){' || <<links>>' if links else ''} || '}}'"
    )
