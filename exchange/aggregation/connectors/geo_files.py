"""Geospatial files on an exchange node (前置机空间数据文件): GeoJSON, zipped Shapefile, GeoPackage, through GDAL.

What a file is, its content says, never its name: GDAL would follow other formats to other files and hosts. Geometry goes on
as EWKT with the datum the file names, longitude first; whether it is sound is for `basedb.rules.geography`. Beijing 1954 and
Xian 1980 need grids that are not public: refused, not guessed.
"""

from __future__ import annotations

import codecs
import re
import shutil
from collections.abc import Iterator, Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from django.contrib.gis.gdal import CoordTransform, DataSource, GDALException, SpatialReference
from django.contrib.gis.gdal.feature import Feature
from django.contrib.gis.gdal.layer import Layer
from django.contrib.gis.gdal.prototypes import ds as capi
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.intake.contract import BROKEN_GEOMETRY
from core.errors import Invalid
from exchange.aggregation.connectors.archives import check_archive, unpack
from exchange.aggregation.connectors.csv_reading import check_header
from exchange.aggregation.connectors.drops import refused
from exchange.aggregation.connectors.files import Record
from exchange.aggregation.connectors.terms import Column

GEOMETRY: Final = "geometry"
DATUM: Final = "datum"
CGCS2000, WGS84 = 4490, 4326
_WORDS = {CGCS2000: "CGCS2000", WGS84: "WGS84"}
MOST_GEOJSON = 256 << 20  # GDAL holds it in memory
_REFUSED = {"beijing": gettext_lazy("北京 1954（EPSG:4214）"), "xian": gettext_lazy("西安 1980（EPSG:4610）")}
_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_SHP_MAGIC = b"\x00\x00\x27\x0a"
_DBF_HEAD = 32  # of it the ninth and tenth byte say where the records begin
_NUL = re.compile(rb"\x00|(?<!\\)(?:\\\\)*\\u0000")
_CHUNK = 1 << 20


class GeoContents:
    """See `files.Contents`. The checkpoint is the number of the feature; columns `geometry` and `datum` join the file's own."""

    def __init__(self, file: IO[bytes], path: Path, place: Mapping[str, Any]) -> None:
        self._folder: Path | None = None
        try:
            self._open(*self._recognized(file, path), place)
        except (GDALException, UnicodeDecodeError):
            self.close()
            raise refused("geo_broken", _("空间数据文件已损坏，无法打开。")) from None
        except Invalid:
            self.close()
            raise

    def _open(self, path: Path, driver: str, place: Mapping[str, Any]) -> None:
        self._source = DataSource(str(path))
        if self._source.driver.name != driver:
            raise refused("geo_unknown", _("不是 GeoJSON、Shapefile（zip）或 GeoPackage 文件。"))
        self._layer = self._chosen(str(place.get("layer") or ""))
        self._srid, self._transform = _datum(self._layer, place.get("srid"), is_geojson=driver == "GeoJSON")
        header = [*self._layer.fields, GEOMETRY, DATUM]
        check_header(header, place.get("wanted") or header, may_grow=True)
        types = [kind.__name__.removeprefix("OFT") for kind in self._layer.field_types]
        self.columns = tuple(Column(name, kind) for name, kind in zip(header, [*types, GEOMETRY, "String"], strict=True))

    def _recognized(self, file: IO[bytes], path: Path) -> tuple[Path, str]:
        """Return what to open and the driver that must open it."""
        head = file.read(4096)
        file.seek(0)
        if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
            if path.stat().st_size > MOST_GEOJSON:
                said = _("GeoJSON 文件超过 %(most)s MB，请改用 GeoPackage。")
                raise refused("too_large", said % {"most": MOST_GEOJSON >> 20})
            _refuse_nul(file)
            return path, "GeoJSON"
        if head.startswith(b"SQLite format 3\x00"):
            return path, "GPKG"
        if head.startswith(b"PK\x03\x04"):
            return self._unpacked(file, path), "ESRI Shapefile"
        raise refused("geo_unknown", _("不是 GeoJSON、Shapefile（zip）或 GeoPackage 文件。"))

    def _unpacked(self, file: IO[bytes], path: Path) -> Path:
        members = check_archive(file)
        named = {PurePosixPath(member.filename).suffix.lower(): member for member in members if not member.is_dir()}
        shapes = [member for member in members if member.filename.lower().endswith(".shp")]
        if len(shapes) != 1 or not {".shp", ".shx", ".dbf"} <= named.keys():
            raise refused("shapefile_incomplete", _("压缩包内应有且只有一套 Shapefile（.shp、.shx、.dbf，及 .prj）。"))
        self._folder = folder = path.parent / f"{path.name}.d"
        folder.mkdir(mode=0o700)
        unpack(file, {f"layer{suffix}": named[suffix] for suffix in _PARTS if suffix in named}, folder)
        with (folder / "layer.shp").open("rb") as shape:
            if shape.read(4) != _SHP_MAGIC:
                raise refused("geo_broken", _("空间数据文件已损坏，无法打开。"))
        if ".cpg" not in named:
            (folder / "layer.cpg").write_text(_dbf_encoding(folder / "layer.dbf"))
        return folder / "layer.shp"

    def _chosen(self, name: str) -> Layer:
        layers: dict[str, Layer] = {layer.name: layer for layer in (self._source[n] for n in range(len(self._source)))}
        if not layers:
            raise refused("empty", _("文件是空的。"))
        if name and name not in layers:
            raise refused("layer_gone", _("文件中没有图层「%(name)s」。") % {"name": name})
        if not name and len(layers) > 1:
            raise refused("layer_unclear", _("文件含有 %(count)s 个图层，请在归集任务中写明图层名。") % {"count": len(layers)})
        return layers[name] if name else next(iter(layers.values()))

    def records(self, after: Mapping[str, Any]) -> Iterator[Record]:
        """Hand out the features after a checkpoint; a geometry GDAL cannot read makes its feature a reject."""
        start = after.get("line", 0)
        for number, feature in self._features():
            if number <= start:
                continue
            try:
                texts = [feature[place].as_string() or None for place in range(feature.num_fields)]
            except UnicodeDecodeError:
                said = _("第 %(line)s 个要素的属性不是 UTF-8 编码，或与文件写明的编码不符。")
                raise refused("encoding", said % {"line": number}, line=number) from None
            shape, fault = self._shape(feature)
            yield Record(number, number, [*texts, shape, _WORDS[self._srid]], fault)

    def _features(self) -> Iterator[tuple[int, Feature]]:
        """Hand out the features with their numbers; a file that breaks off among them is refused."""
        number = 0
        try:
            for number, feature in enumerate(self._layer, start=1):
                yield number, feature
        except GDALException:
            said = _("空间数据文件在第 %(line)s 个要素之后已损坏，无法读取。")
            raise refused("geo_broken", said % {"line": number}, line=number) from None
        if self._goes_on():
            raise refused("geo_broken", _("空间数据文件写明的要素数少于实际要素数，请重新导出。"))

    def _goes_on(self) -> bool:
        """Whether there are features beyond the number the file names for itself."""
        try:
            Feature(capi.get_next_feature(self._layer.ptr), self._layer)
        except GDALException:
            return False
        return True

    def _shape(self, feature: Feature) -> tuple[str | None, str]:
        try:
            shape = feature.geom
        except GDALException:
            return None, ""  # a feature without geometry: whether it needs one is for the rules
        try:
            shape.set_3d(False)
            if self._transform is not None:
                shape.transform(self._transform)
            return f"SRID={self._srid};{shape.wkt}", ""
        except (GDALException, ValueError):
            return None, BROKEN_GEOMETRY

    def place(self, record: Record) -> dict[str, Any]:
        """The feature."""
        return {"line": record.line}

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _datum(layer: Layer, declared: Any, *, is_geojson: bool) -> tuple[int, CoordTransform | None]:
    """Return the datum geometry goes on with; a projection on CGCS2000 is undone, which loses nothing."""
    reference: SpatialReference | None = layer.srs
    if reference is None:
        if declared in (CGCS2000, WGS84):
            return int(declared), None
        raise refused("crs_missing", _("文件没有写明坐标系（缺少 .prj），请补充，或在归集任务中写明坐标系。"))
    name = f"{reference['GEOGCS']} {reference['DATUM']}".lower()
    for word, title in _REFUSED.items():
        if word in name:
            said = _("文件使用%(title)s坐标系，转换参数不公开，不能自动转换；请转换为 CGCS2000 后重新提供。")
            raise refused("crs_refused", said % {"title": title})
    known = CGCS2000 if "china geodetic" in name or "cgcs2000" in name or "china_2000" in name else None
    known = known or (WGS84 if reference.srid == WGS84 or (reference.geographic and "wgs_1984" in name.replace(" ", "_")) else None)
    if known is None or (known == WGS84 and reference.projected):
        raise refused("crs_unknown", _("文件的坐标系不在接受之列，请转换为 CGCS2000（EPSG:4490）后重新提供。"))
    if known == WGS84 and declared == CGCS2000 and is_geojson:  # by its standard it cannot name another datum
        return CGCS2000, None
    return known, CoordTransform(reference, SpatialReference(CGCS2000)) if reference.projected else None


def _refuse_nul(file: IO[bytes]) -> None:
    """GDAL would take a text to end at a NUL, written out or as its code."""
    with mmap(file.fileno(), 0, access=ACCESS_READ) as text:
        if _NUL.search(text):
            raise refused("nul", _("文件含有空字符（NUL），可能已损坏。"))


def _dbf_encoding(path: Path) -> str:
    """Return what the attributes of a shapefile without code page are written in: by its records, since its head is no text."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as table:
        table.seek(int.from_bytes(table.read(_DBF_HEAD)[8:10], "little"))
        try:
            while chunk := table.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "CP936"
    return "UTF-8"
