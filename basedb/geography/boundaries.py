"""Approved outlines of divisions (界线装载): checked as a whole, previewed, then laid down with who, when and the approval number.

The platform ships no outlines: a map of administrative boundaries needs approval (《地图管理条例》第十五条), its number (审图号) is
part of every load. A file with any fault loads nothing. Old outlines are kept, superseded.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from basedb.geography.divisions import long_code, short_code, stands_on
from basedb.models import BoundaryLoad, DivisionOutline
from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Forbidden, Invalid
from core.models import Region
from core.roles import Role

LARGEST_FILE = 64 * 1024 * 1024
MOST_FEATURES = 5_000
CODE_NAMES = ("code", "division_code", "adcode", "gb", "区划代码")
_NATION = "156"  # before the six digits of `gb` in the maps of the national geo-information service
_Outlines = list[tuple[int, int, str]]  # number in the file, region, geometry as text
_GIVEN_CRS = re.compile(r"(?:CRS84|EPSG:{1,2}(?:[0-9.]*:)?(?:4490|4326))$")


@dataclass(frozen=True, slots=True)
class Line:
    """One feature of a file: which division it would give an outline, or why not."""

    number: int
    code: str
    name: str
    is_replacing: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do."""

    lines: tuple[Line, ...]
    digest: str

    @property
    def faults(self) -> tuple[Line, ...]:
        """The features that keep the file from being loaded."""
        return tuple(line for line in self.lines if line.fault)


def may_load(actor: Actor) -> bool:
    """The system administrator, or the head or reviewer of the data centre."""
    if actor.has(Role.SYSTEM_ADMINISTRATOR):
        return True
    return actor.is_data_centre and actor.has(Role.HEAD, Role.REVIEWER)


def preview(*, content: bytes, now: datetime) -> Preview:
    """Check a GeoJSON file of outlines without keeping anything; Invalid when it is no such file at all."""
    return _checked(content, now.astimezone(SHANGHAI).date())[0]


@transaction.atomic
def load(
    *,
    content: bytes,
    file_name: str,
    source: str,
    approval_number: str,
    actor: Actor,
    now: datetime,
    is_fictive: bool = False,
    is_operator: bool = False,
) -> BoundaryLoad:
    """Lay down the outlines of a file; `is_operator` is the command line of the machine. Invalid with the faults by feature."""
    if not is_operator and not may_load(actor):
        raise Forbidden("boundary.forbidden", _("只有系统管理员和大数据中心可以装载区划界线。"))
    _check_words(source=source, approval_number=approval_number, is_fictive=is_fictive)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('basedb_divisionoutline'))")
    checked, outlines = _checked(content, now.astimezone(SHANGHAI).date())
    if checked.faults:
        raise Invalid(
            "boundary.invalid", _("界线文件未通过检查，没有装载任何界线。"), {"file": [_told(line) for line in checked.faults[:20]]}
        )
    kept = BoundaryLoad.objects.create(
        source=source, approval_number=approval_number, is_fictive=is_fictive, file_name=file_name[:200],
        file_digest=bytes.fromhex(checked.digest), outline_count=len(checked.lines), loaded_by_id=actor.user_id, loaded_at=now,
    )  # fmt: skip
    _lay(kept, outlines, now)
    audit.record(
        actor, "boundary.loaded", kept, at=now, source=source, approval_number=approval_number, outlines=kept.outline_count,
        digest=checked.digest,
    )  # fmt: skip
    return kept


def _told(line: Line) -> str:
    return _("第 %(number)s 个要素（%(code)s）：%(fault)s") % {"number": line.number, "code": line.code or "-", "fault": line.fault}


def _check_words(*, source: str, approval_number: str, is_fictive: bool) -> None:
    problems: dict[str, list[str]] = {}
    if not source.strip():
        problems["source"] = [_("请写明界线来源。")]
    if not is_fictive and not re.search(r"\d{4}.*\d+", approval_number):
        problems["approval_number"] = [_("请填写审图号，例如：苏S(2024)001号。")]
    if problems:
        raise Invalid("boundary.invalid", _("界线来源或审图号不完整。"), problems)


def _lay(kept: BoundaryLoad, outlines: _Outlines, now: datetime) -> None:
    codes = Region.objects.filter(pk__in=[region for _number, region, _shape in outlines]).values("code")
    DivisionOutline.objects.filter(region__code__in=codes, superseded_at=None).update(superseded_at=now)
    with connection.cursor() as cursor:
        cursor.execute(
            _DELIVERED
            + "INSERT INTO basedb_divisionoutline (region_id, load_id, outline) SELECT region_id, %s, outline FROM delivered",
            [*_columns(outlines), kept.pk],
        )


def _checked(content: bytes, day: date) -> tuple[Preview, _Outlines]:
    """Say what is wrong with each feature of a file on a day; return the sound ones besides."""
    features = list(_features(content))
    codes = {short_code(long_code(code)) for code, _shape in features if code}
    regions = {row.code: row for row in Region.objects.filter(stands_on(day), code__in=codes)}
    known = set(Region.objects.filter(code__in=codes).values_list("code", flat=True))
    loaded = set(
        DivisionOutline.objects.filter(superseded_at=None, region__in=regions.values()).values_list("region_id", flat=True)
    )
    lines: list[Line] = []
    seen: set[str] = set()
    for number, (code, shape) in enumerate(features, start=1):
        region = regions.get(short_code(long_code(code))) if code else None
        fault = ""
        if region is None:
            fault = _no_region(code, known)
        elif region.code in seen:
            fault = _("同一区划在文件中出现两次")
        elif word := _geometry_fault(shape):
            fault = _fault_text(word)
        seen.add(region.code if region else "")
        lines.append(Line(number, code, region.name if region else "", bool(region and region.pk in loaded), fault))
    good = [(line.number, regions[short_code(long_code(line.code))].pk, shape)
            for line, (_code, shape) in zip(lines, features, strict=True) if not line.fault]  # fmt: skip
    crossing = _topology(good, day)
    checked = tuple(replace(line, fault=crossing.get(line.number, "")) if not line.fault else line for line in lines)
    return Preview(checked, hashlib.sha256(content).hexdigest()), good


def _no_region(code: str, known: Collection[str]) -> str:
    if not code:
        return _("属性中没有区划代码（code）")
    return _("这个区划代码今天不在使用（已停用或尚未启用）") if short_code(long_code(code)) in known else _("没有这个区划代码")


def _features(content: bytes) -> Iterator[tuple[str, str]]:
    """The code and the geometry, as text, of each feature."""
    if len(content) > LARGEST_FILE:
        raise _no_file(_("文件超过64 MB。"))
    try:
        data: Any = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise _no_file(_("不是UTF-8编码的GeoJSON文件。")) from None
    features = data.get("features") if isinstance(data, dict) and data.get("type") == "FeatureCollection" else None
    if not isinstance(features, list) or not features or len(features) > MOST_FEATURES:
        raise _no_file(_("应为1至5000个要素的FeatureCollection。"))
    crs = data.get("crs")
    if crs is not None and not _GIVEN_CRS.search(str((crs.get("properties") or {}).get("name")) if isinstance(crs, dict) else ""):
        raise _no_file(_("坐标系应为2000国家大地坐标系（EPSG:4490）经纬度。"))
    for feature in features:
        given = feature.get("properties") if isinstance(feature, dict) else None
        names = given if isinstance(given, dict) else {}
        name = next((name for name in CODE_NAMES if names.get(name)), "")
        code = str(names.get(name, "")).strip()
        code = code.removeprefix(_NATION) if name == "gb" and len(code) == len(_NATION) + 6 else code
        shape = feature.get("geometry") if isinstance(feature, dict) else None
        yield code if re.fullmatch("[0-9]{2,12}", code) else "", json.dumps(shape)


def _no_file(why: str) -> Invalid:
    return Invalid("boundary.unreadable", why, {"file": [why]})


def _geometry_fault(shape: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(basedb_geometry_fault(%s, 'AREA'), '')", [shape])
        word: str = cursor.fetchone()[0]
    return word


def _fault_text(word: str) -> str:
    texts = {
        "crossing": _("界线自相交"),
        "unclosed": _("环没有闭合"),
        "too_few_points": _("环点数不足四个"),
        "swapped": _("经纬度颠倒"),
        "outside": _("坐标超出全国范围"),
        "type": _("应为面（Polygon或MultiPolygon）"),
        "empty": _("没有几何"),
        "hole": _("内环位置不正确"),
    }
    return texts.get(word, _("几何无法读取"))


def _topology(outlines: _Outlines, day: date) -> dict[int, str]:
    """Which outlines overlap a sibling of the file or of the store, stand out of their parent or leave out one below them.

    What stood before the day does not count; a fiftieth is allowed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_AROUND + _OVERLAPPING, [*_columns(outlines), day, day])
        faults = {number: _("与同级区划%(name)s的界线重叠") % {"name": name} for number, name in cursor.fetchall()}
        cursor.execute(_AROUND + _STANDING_OUT, [*_columns(outlines), day, day])
        faults |= {number: _("超出上级区划%(name)s的界线") % {"name": name} for number, name in cursor.fetchall()}
        cursor.execute(_AROUND + _LEAVING_OUT, [*_columns(outlines), day, day])
        faults |= {number: _("没有盖住已装载的下级区划%(name)s的界线") % {"name": name} for number, name in cursor.fetchall()}
    return faults


def _columns(outlines: _Outlines) -> list[Any]:
    return [list(column) for column in zip(*outlines, strict=True)] or [[], [], []]


_DELIVERED = """
    WITH delivered AS MATERIALIZED (
        SELECT number, region_id, basedb_read_geometry(shape) AS outline
        FROM unnest(%s::integer[], %s::bigint[], %s::text[]) AS t (number, region_id, shape)
    )"""
_AROUND = (
    _DELIVERED
    + """, around AS (
        SELECT region_id, outline FROM delivered UNION ALL
        SELECT o.region_id, o.outline FROM basedb_divisionoutline o JOIN core_region r ON r.id = o.region_id
            WHERE o.superseded_at IS NULL AND o.region_id NOT IN (SELECT region_id FROM delivered)
            AND (r.valid_from IS NULL OR r.valid_from <= %s) AND (r.valid_to IS NULL OR r.valid_to > %s)
    )"""
)
_OVERLAPPING = """
    SELECT DISTINCT ON (d.number) d.number, other.name FROM delivered d JOIN core_region r ON r.id = d.region_id
    JOIN core_region other ON other.parent_id = r.parent_id AND other.id <> r.id JOIN around a ON a.region_id = other.id
    WHERE a.outline && d.outline AND ST_Area(ST_Intersection(a.outline, d.outline))
        > 0.001 * least(ST_Area(a.outline), ST_Area(d.outline)) ORDER BY d.number, other.code"""
_STANDING_OUT = """
    SELECT d.number, up.name FROM delivered d JOIN core_region r ON r.id = d.region_id
    JOIN core_region up ON up.id = r.parent_id JOIN around a ON a.region_id = up.id
    WHERE NOT ST_Covers(a.outline, d.outline)
        AND ST_Area(ST_Difference(d.outline, a.outline)) > 0.02 * ST_Area(d.outline)"""
_LEAVING_OUT = """
    SELECT DISTINCT ON (d.number) d.number, low.name FROM delivered d JOIN core_region low ON low.parent_id = d.region_id
    JOIN around a ON a.region_id = low.id
    WHERE low.id NOT IN (SELECT region_id FROM delivered) AND NOT ST_Covers(d.outline, a.outline)
        AND ST_Area(ST_Difference(a.outline, d.outline)) > 0.02 * ST_Area(a.outline) ORDER BY d.number, low.code"""
