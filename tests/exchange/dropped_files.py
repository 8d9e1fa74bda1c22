"""Files of every kind for the tests of connectors, good and malicious ones, made on the spot."""

from __future__ import annotations

import json
import sqlite3
import struct
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook

CGCS2000_PRJ = (
    'GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
XIAN_PRJ = (
    'GEOGCS["GCS_Xian_1980",DATUM["D_Xian_1980",SPHEROID["Xian_1980",6378140.0,298.257]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
BEIJING_PRJ = (
    'GEOGCS["GCS_Beijing_1954",DATUM["D_Beijing_1954",SPHEROID["Krasovsky_1940",6378245.0,298.3]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
SQUARE = [(118.7, 32.0), (118.7, 32.1), (118.8, 32.1), (118.8, 32.0), (118.7, 32.0)]
BOW_TIE = [(118.7, 32.0), (118.8, 32.1), (118.8, 32.0), (118.7, 32.1), (118.7, 32.0)]


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate(rows, start=1):
        for place, value in enumerate(row, start=1):
            cell = sheet.cell(number, place, value)
            if isinstance(value, str):
                cell.data_type = "s"  # a text stays a text, whatever it begins with
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def packed(members: dict[str, bytes], method: int = ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def bomb(name: str = "xl/worksheets/sheet1.xml", megabytes: int = 64) -> bytes:
    """Return a small zip that unpacks to zeros without end."""
    return packed({"[Content_Types].xml": b"<Types/>", name: b"\x00" * (megabytes << 20)})


def link() -> bytes:
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        member = ZipInfo("layer.shp")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    return out.getvalue()


def lying(content: bytes) -> bytes:
    """Return a zip whose directory claims that its members are tiny."""
    size = struct.pack("<I", len(content))
    return packed({"a.shp": content}).replace(size, struct.pack("<I", 10))


def features(*shapes: Any, crs: str = "", **properties: Any) -> bytes:
    """Return GeoJSON; a shape is a ring, None, or a geometry as it is."""
    found = [
        {
            "type": "Feature",
            "properties": {"code": f"P{number}", **properties},
            "geometry": {"type": "Polygon", "coordinates": [shape]} if isinstance(shape, list) else shape,
        }
        for number, shape in enumerate(shapes, start=1)
    ]
    named = {"crs": {"type": "name", "properties": {"name": crs}}} if crs else {}
    return json.dumps({"type": "FeatureCollection", **named, "features": found}, ensure_ascii=False).encode()


def shapefile(
    points: Sequence[tuple[float, float, str]], *, prj: str | None = CGCS2000_PRJ, encoding: str = "gbk", code_page: str = ""
) -> bytes:
    """Return a zipped shapefile of points with one attribute NAME, without code page unless one is named."""
    records = [struct.pack("<i2d", 1, x, y) for x, y, _name in points]
    body, index, offset = b"", b"", 50
    for number, record in enumerate(records, start=1):
        body += struct.pack(">2i", number, len(record) // 2) + record
        index += struct.pack(">2i", offset, len(record) // 2)
        offset += 4 + len(record) // 2
    box = struct.pack("<8d", 118, 32, 119, 33, 0, 0, 0, 0)

    def head(length: int) -> bytes:
        return struct.pack(">7i", 9994, 0, 0, 0, 0, 0, length // 2) + struct.pack("<2i", 1000, 1) + box

    texts = [name.encode(encoding).ljust(20, b" ") for _x, _y, name in points]
    field = b"NAME".ljust(11, b"\x00") + b"C" + b"\x00" * 4 + bytes([20, 0]) + b"\x00" * 14
    table = struct.pack("<4BIHH20x", 3, 126, 1, 1, len(points), 32 + 32 + 1, 21) + field + b"\r"
    table += b"".join(b" " + text for text in texts) + b"\x1a"
    members = {"地块.shp": head(100 + len(body)) + body, "地块.shx": head(100 + len(index)) + index, "地块.dbf": table}
    members |= {"地块.cpg": code_page.encode()} if code_page else {}
    return packed(members | ({"地块.prj": prj.encode()} if prj is not None else {}))


def geopackage(path: Path, points: Sequence[tuple[float, float, str]], *, srid: int = 4490, organization: str = "EPSG") -> bytes:
    """Return a GeoPackage of points, as OGC 12-128 lays one out."""
    base = sqlite3.connect(path)
    base.executescript(
        f"""PRAGMA application_id = 1196444487; PRAGMA user_version = 10200;
        CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER PRIMARY KEY, organization TEXT NOT NULL,
            organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
        INSERT INTO gpkg_spatial_ref_sys VALUES ('x', {srid}, '{organization}', {srid}, 'undefined', NULL);
        CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
            description TEXT DEFAULT '', last_change DATETIME NOT NULL DEFAULT '2026-01-01T00:00:00.000Z',
            min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER);
        INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('places', 'features', 'places', {srid});
        CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT, srs_id INTEGER,
            z TINYINT, m TINYINT);
        INSERT INTO gpkg_geometry_columns VALUES ('places', 'geom', 'POINT', {srid}, 0, 0);
        CREATE TABLE places (fid INTEGER PRIMARY KEY AUTOINCREMENT, geom POINT, code TEXT)"""
    )
    for x, y, name in points:
        blob = b"GP\x00\x01" + struct.pack("<i", srid) + struct.pack("<BI2d", 1, 1, x, y)
        base.execute("INSERT INTO places (geom, code) VALUES (?, ?)", (blob, name))
    base.commit()
    base.close()
    return path.read_bytes()
