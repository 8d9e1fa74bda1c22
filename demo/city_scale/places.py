"""The city's places (空间地理数源): standard addresses with their points, and parcels on a lattice, as the surveyors' own tables.

The divisions and roads are real, the points are not: each district is given a rectangle of its own beside the others, so that what
lies in it can be checked without its outline. Parcels never overlap.
"""

from __future__ import annotations

from demo.city_scale.drawing import Soil

ADDRESS_COLUMNS = (
    "address_code", "region_code", "full_address", "province", "city", "county", "town", "road", "door", "building",
    "address_state", "datum", "location",
)  # fmt: skip
PARCEL_COLUMNS = (
    "parcel_code", "region_code", "seat", "land_right", "right_nature", "land_use", "area", "registered_on", "parcel_state",
    "datum", "outline",
)  # fmt: skip

# South-west corner of the lattice and its cell, in degrees of CGCS2000; a district is a band of columns.
WEST, SOUTH, CELL, SIDE = 118.4, 31.62, 0.002, 0.0018
LOTS_SOUTH = 31.8  # north of the lots of the small demo
BAND = 70

TABLES = f"""
CREATE TABLE {{schema}}.district (place int PRIMARY KEY, district_code text UNIQUE, district text);
INSERT INTO {{schema}}.district SELECT row_number() OVER (ORDER BY district_code) - 1, district_code, max(district)
    FROM {{schema}}.street GROUP BY district_code;
CREATE TABLE {{schema}}.address (n bigint NOT NULL, street_code text, street text, district_code text, district text, road text,
    door text, building text, address text, x numeric, y numeric);
CREATE TABLE {{schema}}.public_security_address (row_id bigint NOT NULL, {", ".join(f"{name} text" for name in ADDRESS_COLUMNS)},
    effective_on date, updated_at timestamptz NOT NULL);
CREATE TABLE {{schema}}.natural_resources_parcel (row_id bigint NOT NULL, {", ".join(f"{name} text" for name in PARCEL_COLUMNS)},
    effective_on date, updated_at timestamptz NOT NULL);
"""

# Door numbers count up along a road: no two addresses are the same.
ADDRESS = f"""
INSERT INTO {{schema}}.address
SELECT a.n, a.street_code, a.street, a.district_code, a.district, a.road, a.door, a.building,
    '江苏省南京市' || a.district || street || road || door || building,
    round({WEST} + (place * {BAND} + 1 + {{schema}}.draw(n, 70, {BAND - 2}) + {{schema}}.draw(n, 71, 1000) / 1000.0) * {CELL}, 6),
    round({SOUTH} + ({{schema}}.draw(n, 72, 180) + {{schema}}.draw(n, 73, 1000) / 1000.0) * {CELL}, 6)
FROM (
    SELECT g.n, s.code AS street_code, s.street, s.district_code, s.district,
        s.roads[1 + (g.n / {{streets}}) % array_length(s.roads, 1)] AS road,
        (1 + g.n / {{streets}} / array_length(s.roads, 1) / 8)::text || '号' AS door,
        (1 + g.n / {{streets}} / array_length(s.roads, 1) % 8)::text || '幢' AS building
    FROM generate_series({{first}}::bigint, {{last}}::bigint) AS g(n)
    JOIN {{schema}}.street s ON s.slot = g.n % {{streets}} OFFSET 0
) a JOIN {{schema}}.district d ON d.district_code = a.district_code
"""

ADDRESS_SOIL = Soil(
    defects={
        "address_code.required": {"address_code": "''"},
        "full_address.required": {"full_address": "''"},
        "region_code.format": {"region_code": "left(c.region_code, 5)"},
        "address_state.code": {"address_state": "'在用'"},
        "datum.shifted": {"datum": "'GCJ02'"},
        "location.swapped": {"location": "'POINT(' || c.y || ' ' || c.x || ')'"},
        "location.unreadable": {"location": "c.x || ',' || c.y"},
    },
    untidy=({"full_address": "c.full_address || '　'"}, {"address_code": "' ' || lower(c.address_code)"}),
)

STANDARD = f"""
INSERT INTO {{schema}}.public_security_address (row_id, {", ".join(ADDRESS_COLUMNS)}, effective_on, updated_at)
SELECT c.n + 1, {ADDRESS_SOIL.columns(ADDRESS_COLUMNS)}, date '2024-01-01',
        timestamptz '2025-06-01 00:00+08' + c.n * interval '1 second'
FROM (
    SELECT a.n, a.x, a.y, a.district_code || 'DZ' || lpad(a.n::text, 10, '0') AS address_code, a.street_code AS region_code,
        a.address AS full_address,
        '江苏省' AS province, '南京市' AS city, a.district AS county, a.street AS town, a.road, a.door, a.building,
            '1' AS address_state,
        'CGCS2000' AS datum, 'POINT(' || a.x || ' ' || a.y || ')' AS location, {ADDRESS_SOIL.turns("{schema}", "a.n", 74)}
    FROM {{schema}}.address a WHERE a.n BETWEEN {{first}} AND {{last}} OFFSET 0
) c
"""

# Told as a feature: what a point cannot say, a foreign datum and a text that is no point, has its axes swapped instead.
FEATURE_COLUMNS = tuple(name for name in ADDRESS_COLUMNS if name not in ("datum", "location"))
ADDRESS_FEATURE = f"""
SELECT CASE WHEN f.row_id > {{first}} THEN ',' ELSE '' END || jsonb_build_object(
    'type', 'Feature', 'properties', to_jsonb(f) - 'x' - 'y',
    'geometry', jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(f.x, f.y)))
FROM (
    SELECT row_id, {", ".join(FEATURE_COLUMNS)}, effective_on, pair[2 - is_sound]::numeric AS x, pair[1 + is_sound]::numeric AS y
    FROM (
        SELECT a.*, regexp_match(location, '([0-9.]+)[ ,]([0-9.]+)') AS pair,
            (datum = 'CGCS2000' AND location LIKE 'POINT%')::int AS is_sound
        FROM {{schema}}.public_security_address a WHERE row_id BETWEEN {{first}} AND {{last}}
    ) a ORDER BY row_id
) f
"""

_EAST, _NORTH = f"west + {SIDE}", f"south + {SIDE}"
_CORNERS = (("west", "south"), (_EAST, "south"), (_EAST, _NORTH), ("west", _NORTH), ("west", "south"))


def _polygon(corners: tuple[tuple[str, str], ...], alias: str) -> str:
    """A polygon as text; the corners are expressions over `west` and `south` of the alias."""
    pairs = [f"{x.replace('west', alias + 'west')} || ' ' || {y.replace('south', alias + 'south')}" for x, y in corners]
    return "'POLYGON((' || " + " || ',' || ".join(f"({pair})" for pair in pairs) + " || '))'"


# The second and third corner change places: the ring crosses itself.
_BOW = (_CORNERS[0], _CORNERS[2], _CORNERS[1], _CORNERS[3], _CORNERS[4])
PARCEL_SOIL = Soil(
    defects={
        "parcel_code.format": {"parcel_code": "left(c.parcel_code, 12)"},
        "parcel_state.code": {"parcel_state": "'现状'"},
        "area.format": {"area": "'约' || c.area"},
        "area.mismatch": {"area": "(c.area::numeric * 2)::text"},
        "outline.required": {"outline": "''"},
        "outline.crossing": {"outline": _polygon(_BOW, "c.")},
        "datum.old": {"datum": "'XIAN80'"},
    },
    untidy=({"parcel_code": "' ' || lower(c.parcel_code)"}, {"area": "' ' || c.area"}),
)

# A cell's area in square metres follows from its latitude.
PARCEL = f"""
INSERT INTO {{schema}}.natural_resources_parcel (row_id, {", ".join(PARCEL_COLUMNS)}, effective_on, updated_at)
SELECT c.n + 1, {PARCEL_SOIL.columns(PARCEL_COLUMNS)}, date '2023-01-01',
        timestamptz '2025-06-02 00:00+08' + c.n * interval '1 second'
FROM (
    SELECT l.*, {_polygon(_CORNERS, "l.")} AS outline,
        round(({SIDE} * {SIDE} * 111320 * 110860 * cos(radians(south::float8 + {SIDE / 2})))::numeric, 1)::text AS area,
        {PARCEL_SOIL.turns("{schema}", "n", 75)}
    FROM (
        SELECT g.n, d.district_code AS region_code,
            d.district_code || '901001GB' || lpad((g.n / {{districts}} + 1)::text, 5, '0') AS parcel_code,
            '江苏省南京市' || d.district || '第' || (g.n / {{districts}} + 1) || '号宗地' AS seat,
            '03' AS land_right, (ARRAY['101', '102', '103'])[1 + {{schema}}.draw(g.n, 78, 3)] AS right_nature,
            (ARRAY['0701', '0702', '0501', '0601', '0809', '1003'])[1 + {{schema}}.draw(g.n, 76, 6)] AS land_use,
            to_char(date '2023-01-01' - {{schema}}.draw(g.n, 79, 3000), 'YYYYMMDD') AS registered_on,
            '1' AS parcel_state, 'CGCS2000' AS datum,
            {WEST} + (d.place * {BAND} + 1 + g.n / {{districts}} % {BAND - 2}) * {CELL} AS west,
            {LOTS_SOUTH} + (g.n / {{districts}} / {BAND - 2}) * {CELL} AS south
        FROM generate_series({{first}}::bigint, {{last}}::bigint) AS g(n)
        JOIN {{schema}}.district d ON d.place = g.n % {{districts}} OFFSET 0
    ) l OFFSET 0
) c
"""
INDEXES = """
ALTER TABLE {schema}.public_security_address ADD PRIMARY KEY (row_id);
ALTER TABLE {schema}.natural_resources_parcel ADD PRIMARY KEY (row_id);
ANALYZE {schema}.public_security_address, {schema}.natural_resources_parcel;
"""
