"""SQL of the geospatial base as migration 0005 creates it: reading delivered geometry, divisions, addresses."""

# A delivered text as geometry, null when it is none: a broken one must reach a rule, not stop the batch.
PARSE = """
CREATE FUNCTION basedb_parse_geometry(raw text) RETURNS geometry LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
BEGIN
  RETURN ST_Force2D(CASE WHEN left(raw, 1) = '{' THEN ST_GeomFromGeoJSON(raw) ELSE raw::geometry END);
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$
"""

# The word of the first fault of a delivered geometry, null for a good one. CGCS2000 projections are EPSG 4491 to 4554.
FAULT = """
CREATE FUNCTION basedb_geometry_fault(raw text, wanted text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
  shape geometry;
  detail valid_detail;
  srid integer;
BEGIN
  BEGIN
    shape := ST_Force2D(CASE WHEN left(raw, 1) = '{' THEN ST_GeomFromGeoJSON(raw) ELSE raw::geometry END);
  EXCEPTION WHEN OTHERS THEN
    BEGIN
      RETURN CASE WHEN SQLERRM ILIKE '%closed%' THEN 'unclosed' WHEN SQLERRM ILIKE '%points%' THEN 'too_few_points'
        ELSE 'unreadable' END;
    EXCEPTION WHEN character_not_in_repertoire THEN  -- PostGIS cuts the text it quotes in the middle of a character
      RETURN 'unreadable';
    END;
  END;
  IF shape IS NULL OR ST_IsEmpty(shape) THEN RETURN 'empty'; END IF;
  IF GeometryType(shape) NOT IN ('POLYGON', 'MULTIPOLYGON') AND wanted = 'AREA'
    OR GeometryType(shape) <> 'POINT' AND wanted = 'POINT' THEN RETURN 'type'; END IF;
  srid := ST_SRID(shape);
  IF srid IN (4214, 4610) OR srid BETWEEN 2327 AND 2390 OR srid BETWEEN 2401 AND 2442 OR srid BETWEEN 21413 AND 21483 THEN
    RETURN 'old_datum';
  ELSIF srid BETWEEN 4491 AND 4554 THEN
    BEGIN
      shape := ST_Transform(shape, 4490);
    EXCEPTION WHEN OTHERS THEN RETURN 'outside';
    END;
  ELSIF srid NOT IN (0, 4490, 4326) THEN
    RETURN 'srid';
  END IF;
  IF NOT coalesce(ST_XMin(shape) >= 73.6 AND ST_XMax(shape) <= 134.8 AND ST_YMin(shape) >= 16.7 AND ST_YMax(shape) <= 53.6, false)
  THEN
    RETURN CASE WHEN ST_YMin(shape) >= 73.6 AND ST_YMax(shape) <= 134.8 AND ST_XMin(shape) >= 16.7 AND ST_XMax(shape) <= 53.6
      THEN 'swapped' ELSE 'outside' END;
  END IF;
  detail := ST_IsValidDetail(shape);
  IF detail.valid THEN RETURN NULL; END IF;
  RETURN CASE WHEN detail.reason ILIKE '%self-intersection%' OR detail.reason ILIKE '%disconnected%' THEN 'crossing'
    WHEN detail.reason ILIKE '%hole%' THEN 'hole' WHEN detail.reason ILIKE '%few points%' THEN 'too_few_points' ELSE 'invalid' END;
END $$
"""

# What is stored: CGCS2000, two dimensions, areas as multipolygons with their shells counter-clockwise. A WGS84 label becomes
# CGCS2000 without moving anything: the published transformation is a ballpark with zero offset.
READ = """
CREATE FUNCTION basedb_read_geometry(raw text) RETURNS geometry LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
  shape geometry := basedb_parse_geometry(raw);
BEGIN
  shape := CASE WHEN ST_SRID(shape) BETWEEN 4491 AND 4554 THEN ST_Transform(shape, 4490) ELSE ST_SetSRID(shape, 4490) END;
  RETURN CASE WHEN GeometryType(shape) IN ('POLYGON', 'MULTIPOLYGON') THEN ST_Multi(ST_ForcePolygonCCW(shape)) ELSE shape END;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$
"""

NOTE = """
CREATE FUNCTION basedb_datum_note(raw text, datum text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN raw IS NULL THEN '' WHEN datum IN ('GCJ02', 'BD09') THEN datum WHEN datum = 'WGS84' THEN 'BALLPARK'
    WHEN left(raw, 1) = '{' AND datum = 'CGCS2000' AND raw NOT LIKE '%"crs"%' THEN ''
    WHEN ST_SRID(basedb_parse_geometry(raw)) = 4326 THEN 'BALLPARK'
    WHEN ST_SRID(basedb_parse_geometry(raw)) BETWEEN 4491 AND 4554 THEN 'PROJECTED' ELSE '' END
$$
"""

# The mark follows from the source record, so no path of loading can forget it. An AFTER trigger sees records of its statement.
MARK = """
CREATE FUNCTION basedb_mark_datum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format(
    'UPDATE %1$I.%2$I t SET datum_note = basedb_datum_note(btrim(r.payload ->> %3$L), r.payload ->> ''datum'')'
    ' FROM changed c JOIN basedb_sourcerecord r ON r.id = c.source_record_id WHERE t.id = c.id AND c.%3$I IS NOT NULL'
    ' AND t.datum_note <> basedb_datum_note(btrim(r.payload ->> %3$L), r.payload ->> ''datum'')',
    TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0]);
  RETURN NULL;
END $$
"""

SHORT_DIVISION = """
CREATE FUNCTION basedb_short_division(code text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT CASE WHEN length(code) > 9 AND right(code, 3) <> '000' THEN code
    ELSE regexp_replace(regexp_replace(left(code, 9), '000$', ''), '^([0-9]{2})(?:0000|([0-9]{2})00)$', '\\1\\2') END
$$
"""

# Delivered ranges decide where there are any for a code; else the table of divisions every node has.
DIVISION_ON = """
CREATE FUNCTION basedb_division_stood(code text, day date) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE STRICT AS $$
  SELECT CASE WHEN EXISTS (SELECT FROM basedb_division d WHERE d.division_code = code AND d.withdrawn_at IS NULL)
    THEN EXISTS (SELECT FROM basedb_division d WHERE d.division_code = code AND d.withdrawn_at IS NULL
      AND d.valid_from <= day AND (d.valid_to IS NULL OR d.valid_to > day))
    ELSE EXISTS (SELECT FROM core_region r WHERE r.code = basedb_short_division(basedb_division_stood.code)
      AND (r.valid_from IS NULL OR r.valid_from <= day) AND (r.valid_to IS NULL OR r.valid_to > day)) END
$$
"""

# Surveys of neighbors never meet to the metre: a fiftieth of an area, or about fifty metres of a point, may stand out.
OUTSIDE = """
CREATE FUNCTION basedb_outside_division(shape geometry, code text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE STRICT AS $$
  SELECT EXISTS (
    SELECT FROM core_region r JOIN basedb_divisionoutline o ON o.region_id = r.id AND o.superseded_at IS NULL
    WHERE r.code = ANY (ARRAY[left(basedb_short_division(outside.code), 2), left(basedb_short_division(outside.code), 4),
        left(basedb_short_division(outside.code), 6), basedb_short_division(outside.code)])
      AND CASE WHEN ST_Dimension(shape) < 2 THEN NOT ST_DWithin(o.outline, shape, 0.0005)
        WHEN NOT ST_IsValid(shape) THEN false
        ELSE NOT ST_CoveredBy(shape, o.outline)
          AND ST_Area(ST_Difference(shape, o.outline)) > 0.02 * ST_Area(shape) END)
$$
""".replace("outside.code", "basedb_outside_division.code")

# Parcels of one layer, that is of one letter of right: neither more than a square metre nor a thousandth of the smaller.
OVERLAP = """
CREATE FUNCTION basedb_parcels_overlap(one geometry, other geometry)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT CASE WHEN NOT one && other OR NOT ST_IsValid(one) OR NOT ST_IsValid(other) THEN false
    WHEN NOT ST_Intersects(one, other) OR ST_Touches(one, other) THEN false
    ELSE ST_Area(ST_Intersection(one, other)::geography)
      > greatest(1, 0.001 * least(ST_Area(one::geography), ST_Area(other::geography))) END
$$;
CREATE FUNCTION basedb_parcel_taken(code text, shape geometry) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE STRICT AS $$
  SELECT EXISTS (
    SELECT FROM basedb_parcel p
    WHERE p.outline && shape AND p.parcel_code <> code AND p.withdrawn_at IS NULL AND p.parcel_state <> '2'
      AND substr(p.parcel_code, 14, 1) = substr(code, 14, 1) AND basedb_parcels_overlap(p.outline, shape))
$$
"""
