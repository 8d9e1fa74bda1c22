"""Natural resources and geospatial base (自然资源和空间地理库). Fields, standards, grades and masks stand in `basedb.dictionary`.

All geometry is CGCS2000 (EPSG:4490). `datum_note` marks rows whose coordinates are not known to be that to the metre; the
database writes it from the source record.
"""

from __future__ import annotations

from typing import Any

from django.contrib.gis.db import models as gis
from django.contrib.postgres.indexes import GinIndex, GistIndex
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from basedb.models.source_record import DataSource, FactRow, MasterRow
from core.ids import uuid7
from core.models import Region, User

CGCS2000 = 4490


class DatumNote(models.TextChoices):
    """What must be known before coordinates are laid over each other."""

    BALLPARK = "BALLPARK", _("WGS84坐标，按零偏移使用，精度不明")
    GCJ02 = "GCJ02", _("GCJ-02偏移坐标，未还原")
    BD09 = "BD09", _("BD-09偏移坐标，未还原")
    PROJECTED = "PROJECTED", _("由投影坐标换算")


def _outline(title: Any, *, null: bool = False) -> Any:
    return gis.MultiPolygonField(title, srid=CGCS2000, null=null, spatial_index=False)


def _location(title: Any, *, null: bool = False) -> Any:
    return gis.PointField(title, srid=CGCS2000, null=null, spatial_index=False)


def _datum_note() -> Any:
    return models.CharField(_("坐标说明"), max_length=10, choices=DatumNote.choices, blank=True, db_default="")


class Division(FactRow):
    """A division during one range of days, as the department of civil affairs delivers it. Names are rows of `core.Region`."""

    division_code = models.CharField(_("区划代码"), max_length=12)
    division_level = models.CharField(_("区划级别"), max_length=10)
    valid_from = models.DateField(_("启用日期"))
    valid_to = models.DateField(_("停用日期"), null=True)
    predecessors = models.CharField(_("前身区划代码"), max_length=200, null=True)
    successors = models.CharField(_("后继区划代码"), max_length=200, null=True)
    basis = models.CharField(_("批准文号"), max_length=100, null=True)
    area_km2 = models.DecimalField(_("面积（平方千米）"), max_digits=18, decimal_places=6, null=True)
    datum = models.CharField(_("测量坐标系"), max_length=10, null=True)
    outline = _outline(_("界线范围"), null=True)
    datum_note = _datum_note()

    class Meta:
        verbose_name = _("行政区划沿革")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="division_changed"),
            models.Index(fields=["division_code", "valid_from"], name="division_code"),
            GistIndex(fields=["outline"], name="division_outline"),
        ]


class BoundaryLoad(models.Model):
    """One approved file of outlines an operator loaded (界线装载): who, when, by which approval number (审图号)."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    source = models.CharField(_("来源"), max_length=200)
    approval_number = models.CharField(_("审图号"), max_length=60)
    is_fictive = models.BooleanField(_("虚构示意"), default=False)
    file_name = models.CharField(_("文件名"), max_length=200)
    file_digest = models.BinaryField(max_length=32)
    outline_count = models.PositiveIntegerField(_("界线数"))
    loaded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("装载人"))
    loaded_at = models.DateTimeField(_("装载时间"))

    class Meta:
        verbose_name = _("界线装载")
        ordering = ["-id"]


class DivisionOutline(models.Model):
    """The approved outline of a division; the one without `superseded_at` counts."""

    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("行政区划"))
    load = models.ForeignKey(BoundaryLoad, models.PROTECT, related_name="outlines", verbose_name=_("界线装载"))
    outline = _outline(_("界线范围"))
    superseded_at = models.DateTimeField(_("替换时间"), null=True)

    class Meta:
        verbose_name = _("区划界线")
        indexes = [GistIndex(fields=["outline"], name="division_outline_shape", condition=Q(superseded_at__isnull=True))]
        constraints = [
            models.UniqueConstraint(fields=["region"], condition=Q(superseded_at__isnull=True), name="division_outline_once")
        ]


class GeometrySource(models.Model):
    """A data source whose shifted coordinates (GCJ-02, BD-09) are kept with a mark instead of being refused (偏移坐标保留)."""

    source = models.OneToOneField(DataSource, models.PROTECT, primary_key=True, related_name="+", verbose_name=_("数源"))
    is_shifted_kept = models.BooleanField(_("保留偏移坐标"), default=False)
    reason = models.CharField(_("理由"), max_length=200)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("决定人"))
    decided_at = models.DateTimeField(_("决定时间"))

    class Meta:
        verbose_name = _("数源坐标设置")


class Address(MasterRow):
    """A standard address from province to room, its normalized writing for matching and its point."""

    address_code = models.CharField(_("地址编码"), max_length=30)
    region_code = models.CharField(_("所属区划"), max_length=12)
    full_address = models.CharField(_("地址全称"), max_length=200)
    province = models.CharField(_("省级"), max_length=30, null=True)
    city = models.CharField(_("地级"), max_length=30, null=True)
    county = models.CharField(_("县级"), max_length=30, null=True)
    town = models.CharField(_("乡级"), max_length=30, null=True)
    community = models.CharField(_("社区（村）"), max_length=50, null=True)
    road = models.CharField(_("路街巷"), max_length=50, null=True)
    door = models.CharField(_("门牌号"), max_length=30, null=True)
    estate = models.CharField(_("小区（院落）"), max_length=50, null=True)
    building = models.CharField(_("楼栋"), max_length=30, null=True)
    unit = models.CharField(_("单元"), max_length=20, null=True)
    room = models.CharField(_("户室"), max_length=20, null=True)
    address_state = models.CharField(_("地址状态"), max_length=1)
    datum = models.CharField(_("测量坐标系"), max_length=10, null=True)
    location = _location(_("位置点"), null=True)
    datum_note = _datum_note()
    normalized = models.GeneratedField(
        expression=Func(F("full_address"), function="basedb_normalize_address"), output_field=models.TextField(), db_persist=True
    )
    words = models.GeneratedField(
        expression=Func(F("full_address"), function="basedb_address_words"), output_field=models.TextField(), db_persist=True
    )

    class Meta:
        verbose_name = _("标准地址")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="address_changed"),
            models.Index(fields=["region_code"], name="address_region", opclasses=["text_pattern_ops"]),
            models.Index(fields=["address_code"], name="address_code"),
            GistIndex(fields=["location"], name="address_location"),
            GinIndex(fields=["words"], name="address_words", opclasses=["gin_trgm_ops"]),
        ]


class Parcel(MasterRow):
    """A parcel of land (宗地) by its nineteen-character code."""

    parcel_code = models.CharField(_("宗地代码"), max_length=19, unique=True)
    region_code = models.CharField(_("所属区划"), max_length=12)
    seat = models.CharField(_("坐落"), max_length=200, null=True)
    land_right = models.CharField(_("土地权利类型"), max_length=2, null=True)
    right_nature = models.CharField(_("权利性质"), max_length=3, null=True)
    land_use = models.CharField(_("土地用途"), max_length=4, null=True)
    area = models.DecimalField(_("宗地面积（平方米）"), max_digits=18, decimal_places=6)
    registered_on = models.DateField(_("登记日期"), null=True)
    parcel_state = models.CharField(_("宗地状态"), max_length=1)
    datum = models.CharField(_("测量坐标系"), max_length=10, null=True)
    outline = _outline(_("宗地界址"))
    datum_note = _datum_note()

    class Meta:
        verbose_name = _("宗地")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="parcel_changed"),
            models.Index(fields=["region_code"], name="parcel_region", opclasses=["text_pattern_ops"]),
            GistIndex(fields=["outline"], name="parcel_outline"),
        ]


class RealEstateUnit(MasterRow):
    """A unit of real estate (不动产单元): a parcel and, where there is one, a fixture on it."""

    unit_code = models.CharField(_("不动产单元代码"), max_length=28, unique=True)
    parcel_code = models.CharField(_("所在宗地代码"), max_length=19)
    region_code = models.CharField(_("所属区划"), max_length=12)
    fixture_kind = models.CharField(_("定着物种类"), max_length=1, null=True)
    seat = models.CharField(_("坐落"), max_length=200, null=True)
    building_code = models.CharField(_("所在建筑编码"), max_length=30, null=True)
    floor_area = models.DecimalField(_("建筑面积（平方米）"), max_digits=18, decimal_places=6, null=True)
    unit_use = models.CharField(_("用途"), max_length=4, null=True)
    registered_on = models.DateField(_("登记日期"), null=True)
    unit_state = models.CharField(_("单元状态"), max_length=1)
    datum = models.CharField(_("测量坐标系"), max_length=10, null=True)
    outline = _outline(_("定着物范围"), null=True)
    datum_note = _datum_note()

    class Meta:
        verbose_name = _("不动产单元")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="unit_changed"),
            models.Index(fields=["region_code"], name="unit_region", opclasses=["text_pattern_ops"]),
            models.Index(fields=["parcel_code"], name="unit_parcel"),
            GistIndex(fields=["outline"], name="unit_outline"),
        ]


class Building(MasterRow):
    """A building with its footprint."""

    building_code = models.CharField(_("建筑编码"), max_length=30)
    region_code = models.CharField(_("所属区划"), max_length=12)
    name = models.CharField(_("建筑名称"), max_length=100, null=True)
    address_code = models.CharField(_("地址编码"), max_length=30, null=True)
    parcel_code = models.CharField(_("所在宗地代码"), max_length=19, null=True)
    structure = models.CharField(_("建筑结构"), max_length=1, null=True)
    floors_above = models.DecimalField(_("地上层数"), max_digits=3, decimal_places=0, null=True)
    floors_below = models.DecimalField(_("地下层数"), max_digits=3, decimal_places=0, null=True)
    height = models.DecimalField(_("建筑高度（米）"), max_digits=18, decimal_places=6, null=True)
    floor_area = models.DecimalField(_("建筑面积（平方米）"), max_digits=18, decimal_places=6, null=True)
    completed_on = models.DateField(_("竣工日期"), null=True)
    datum = models.CharField(_("测量坐标系"), max_length=10, null=True)
    outline = _outline(_("建筑轮廓"))
    datum_note = _datum_note()

    class Meta:
        verbose_name = _("建筑物")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="building_changed"),
            models.Index(fields=["region_code"], name="building_region", opclasses=["text_pattern_ops"]),
            GistIndex(fields=["outline"], name="building_outline"),
        ]


class PlanningZone(MasterRow):
    """A zone of spatial planning: the three control lines (三线) and other zones."""

    zone_code = models.CharField(_("管控区编码"), max_length=30)
    region_code = models.CharField(_("所属区划"), max_length=12)
    zone_kind = models.CharField(_("管控区类别"), max_length=2)
    name = models.CharField(_("管控区名称"), max_length=100)
    area = models.DecimalField(_("面积（平方米）"), max_digits=18, decimal_places=6, null=True)
    approval = models.CharField(_("批准文号"), max_length=100, null=True)
    valid_from = models.DateField(_("生效日期"))
    valid_to = models.DateField(_("失效日期"), null=True)
    datum = models.CharField(_("测量坐标系"), max_length=10, null=True)
    outline = _outline(_("管控范围"))
    datum_note = _datum_note()

    class Meta:
        verbose_name = _("规划管控区")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="zone_changed"),
            models.Index(fields=["region_code"], name="zone_region", opclasses=["text_pattern_ops"]),
            GistIndex(fields=["outline"], name="zone_outline"),
        ]


class Place(MasterRow):
    """A named place (地名)."""

    place_code = models.CharField(_("地名代码"), max_length=30)
    region_code = models.CharField(_("所属区划"), max_length=12)
    name = models.CharField(_("标准地名"), max_length=100)
    former_name = models.CharField(_("曾用名"), max_length=100, null=True)
    place_kind = models.CharField(_("地名类别"), max_length=2)
    address_code = models.CharField(_("地址编码"), max_length=30, null=True)
    named_on = models.DateField(_("命名日期"), null=True)
    datum = models.CharField(_("测量坐标系"), max_length=10, null=True)
    location = _location(_("位置点"))
    datum_note = _datum_note()

    class Meta:
        verbose_name = _("地名")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="place_changed"),
            models.Index(fields=["region_code"], name="place_region", opclasses=["text_pattern_ops"]),
            GistIndex(fields=["location"], name="place_location"),
        ]


class Grid(MasterRow):
    """A cell of grid management (网格)."""

    grid_code = models.CharField(_("网格编码"), max_length=30)
    region_code = models.CharField(_("所属区划"), max_length=12)
    name = models.CharField(_("网格名称"), max_length=100)
    grid_kind = models.CharField(_("网格类别"), max_length=1)
    households = models.DecimalField(_("户数"), max_digits=7, decimal_places=0, null=True)
    valid_from = models.DateField(_("启用日期"), null=True)
    datum = models.CharField(_("测量坐标系"), max_length=10, null=True)
    outline = _outline(_("网格范围"))
    datum_note = _datum_note()

    class Meta:
        verbose_name = _("治理网格")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="grid_changed"),
            models.Index(fields=["region_code"], name="grid_region", opclasses=["text_pattern_ops"]),
            GistIndex(fields=["outline"], name="grid_outline"),
        ]


class Ownership(FactRow):
    """A right to a unit of real estate (不动产权利); `subject_key` is the holder, a person or a legal entity."""

    holder_id = models.CharField(_("权利人证件号"), max_length=18)
    holder_kind = models.CharField(_("权利人类型"), max_length=1)
    holder_name = models.CharField(_("权利人名称"), max_length=200)
    certificate_number = models.CharField(_("不动产权证号"), max_length=60)
    unit_code = models.CharField(_("不动产单元代码"), max_length=28)
    region_code = models.CharField(_("所属区划"), max_length=12)
    estate_right = models.CharField(_("权利类型"), max_length=2)
    share_kind = models.CharField(_("共有方式"), max_length=1)
    share_percent = models.DecimalField(_("所占份额（百分比）"), max_digits=7, decimal_places=4, null=True)
    registered_on = models.DateField(_("登簿日期"))
    term_from = models.DateField(_("权利起始日期"), null=True)
    term_to = models.DateField(_("权利终止日期"), null=True)
    ended_on = models.DateField(_("注销日期"), null=True)
    right_state = models.CharField(_("权属状态"), max_length=1)

    class Meta:
        verbose_name = _("不动产权利")
        indexes = [
            models.Index(fields=["changed_xid", "id"], name="ownership_changed"),
            models.Index(fields=["subject_key"], name="ownership_subject"),
            models.Index(fields=["unit_code"], name="ownership_unit"),
            models.Index(fields=["region_code"], name="ownership_region", opclasses=["text_pattern_ops"]),
        ]


class DivisionFigure(models.Model):
    """How many people, entities, parcels and so on a division holds (区划统计); counted anew by a task."""

    division_code = models.CharField(_("区划代码"), max_length=12)
    dataset = models.CharField(_("数据集"), max_length=60)
    rows = models.BigIntegerField(_("数量"))
    counted_at = models.DateTimeField(_("统计时间"), db_default=Now())

    class Meta:
        verbose_name = _("区划统计")
        constraints = [models.UniqueConstraint(fields=["division_code", "dataset"], name="division_figure_once")]
