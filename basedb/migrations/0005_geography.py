"""Geospatial base (空间地理库): tables, and the functions that read delivered geometry and match addresses."""

import importlib

import django.contrib.gis.db.models.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared

_shapes = importlib.import_module("basedb.migrations._0005_geometry")
_words = importlib.import_module("basedb.migrations._0005_addresses")

_MARKED = {
    "basedb_division": "outline",
    "basedb_address": "location",
    "basedb_parcel": "outline",
    "basedb_realestateunit": "outline",
    "basedb_building": "outline",
    "basedb_planningzone": "outline",
    "basedb_place": "location",
    "basedb_grid": "outline",
}
_NEEDED_BY_TABLES = (
    _shapes.PARSE,
    _shapes.FAULT,
    _shapes.READ,
    _shapes.NOTE,
    _shapes.SHORT_DIVISION,
    _words.CHINESE_NUMBER,
    _words.NORMALIZE,
    _words.DETAIL,
    _words.WORDS,
    _words.PARTS,
    _words.SCORE,
)
_OVER_TABLES = (_shapes.MARK, _shapes.DIVISION_ON, _shapes.OUTSIDE, _shapes.OVERLAP, _words.MATCH)


def _created(statement: str) -> migrations.RunSQL:
    names = [line.split("(")[0].split()[-1] for line in statement.splitlines() if line.startswith("CREATE FUNCTION")]
    return migrations.RunSQL(statement, "; ".join(f"DROP FUNCTION {name}" for name in reversed(names)))


def _marked(table: str, column: str) -> migrations.RunSQL:
    body = "REFERENCING NEW TABLE AS changed FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)"
    body += f" EXECUTE FUNCTION basedb_mark_datum('{column}')"
    return migrations.RunSQL(
        f"CREATE TRIGGER mark_new_datum AFTER INSERT ON {table} {body};"
        f"CREATE TRIGGER mark_changed_datum AFTER UPDATE ON {table} {body}",
        f"DROP TRIGGER mark_new_datum ON {table}; DROP TRIGGER mark_changed_datum ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("basedb", "0004_legal_entity"),
        ("core", "0005_audit_xid"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(_created(statement) for statement in _NEEDED_BY_TABLES),
        migrations.CreateModel(
            name="BoundaryLoad",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("source", models.CharField(max_length=200, verbose_name="来源")),
                ("approval_number", models.CharField(max_length=60, verbose_name="审图号")),
                ("is_fictive", models.BooleanField(default=False, verbose_name="虚构示意")),
                ("file_name", models.CharField(max_length=200, verbose_name="文件名")),
                ("file_digest", models.BinaryField(max_length=32)),
                ("outline_count", models.PositiveIntegerField(verbose_name="界线数")),
                ("loaded_at", models.DateTimeField(verbose_name="装载时间")),
                (
                    "loaded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="装载人",
                    ),
                ),
            ],
            options={
                "verbose_name": "界线装载",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="DivisionFigure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("division_code", models.CharField(max_length=12, verbose_name="区划代码")),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("rows", models.BigIntegerField(verbose_name="数量")),
                ("counted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="统计时间")),
            ],
            options={
                "verbose_name": "区划统计",
                "constraints": [models.UniqueConstraint(fields=("division_code", "dataset"), name="division_figure_once")],
            },
        ),
        migrations.CreateModel(
            name="GeometrySource",
            fields=[
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="basedb.datasource",
                        verbose_name="数源",
                    ),
                ),
                ("is_shifted_kept", models.BooleanField(default=False, verbose_name="保留偏移坐标")),
                ("reason", models.CharField(max_length=200, verbose_name="理由")),
                ("decided_at", models.DateTimeField(verbose_name="决定时间")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="决定人",
                    ),
                ),
            ],
            options={
                "verbose_name": "数源坐标设置",
            },
        ),
        migrations.CreateModel(
            name="Address",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("subject_key", models.BinaryField(max_length=16, unique=True)),
                ("doubtful", models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list)),
                ("address_code", models.CharField(max_length=30, verbose_name="地址编码")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("full_address", models.CharField(max_length=200, verbose_name="地址全称")),
                ("province", models.CharField(max_length=30, null=True, verbose_name="省级")),
                ("city", models.CharField(max_length=30, null=True, verbose_name="地级")),
                ("county", models.CharField(max_length=30, null=True, verbose_name="县级")),
                ("town", models.CharField(max_length=30, null=True, verbose_name="乡级")),
                ("community", models.CharField(max_length=50, null=True, verbose_name="社区（村）")),
                ("road", models.CharField(max_length=50, null=True, verbose_name="路街巷")),
                ("door", models.CharField(max_length=30, null=True, verbose_name="门牌号")),
                ("estate", models.CharField(max_length=50, null=True, verbose_name="小区（院落）")),
                ("building", models.CharField(max_length=30, null=True, verbose_name="楼栋")),
                ("unit", models.CharField(max_length=20, null=True, verbose_name="单元")),
                ("room", models.CharField(max_length=20, null=True, verbose_name="户室")),
                ("address_state", models.CharField(max_length=1, verbose_name="地址状态")),
                ("datum", models.CharField(max_length=10, null=True, verbose_name="测量坐标系")),
                (
                    "location",
                    django.contrib.gis.db.models.fields.PointField(
                        null=True, spatial_index=False, srid=4490, verbose_name="位置点"
                    ),
                ),
                (
                    "datum_note",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("BALLPARK", "WGS84坐标，按零偏移使用，精度不明"),
                            ("GCJ02", "GCJ-02偏移坐标，未还原"),
                            ("BD09", "BD-09偏移坐标，未还原"),
                            ("PROJECTED", "由投影坐标换算"),
                        ],
                        db_default="",
                        max_length=10,
                        verbose_name="坐标说明",
                    ),
                ),
                (
                    "normalized",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(models.F("full_address"), function="basedb_normalize_address"),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "words",
                    models.GeneratedField(
                        db_persist=True,
                        expression=models.Func(models.F("full_address"), function="basedb_address_words"),
                        output_field=models.TextField(),
                    ),
                ),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "标准地址",
                "indexes": [
                    models.Index(fields=["changed_xid", "id"], name="address_changed"),
                    models.Index(fields=["region_code"], name="address_region", opclasses=["text_pattern_ops"]),
                    models.Index(fields=["address_code"], name="address_code"),
                    django.contrib.postgres.indexes.GistIndex(fields=["location"], name="address_location"),
                    django.contrib.postgres.indexes.GinIndex(fields=["words"], name="address_words", opclasses=["gin_trgm_ops"]),
                ],
            },
        ),
        migrations.CreateModel(
            name="Building",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("subject_key", models.BinaryField(max_length=16, unique=True)),
                ("doubtful", models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list)),
                ("building_code", models.CharField(max_length=30, verbose_name="建筑编码")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("name", models.CharField(max_length=100, null=True, verbose_name="建筑名称")),
                ("address_code", models.CharField(max_length=30, null=True, verbose_name="地址编码")),
                ("parcel_code", models.CharField(max_length=19, null=True, verbose_name="所在宗地代码")),
                ("structure", models.CharField(max_length=1, null=True, verbose_name="建筑结构")),
                ("floors_above", models.DecimalField(decimal_places=0, max_digits=3, null=True, verbose_name="地上层数")),
                ("floors_below", models.DecimalField(decimal_places=0, max_digits=3, null=True, verbose_name="地下层数")),
                ("height", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="建筑高度（米）")),
                ("floor_area", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="建筑面积（平方米）")),
                ("completed_on", models.DateField(null=True, verbose_name="竣工日期")),
                ("datum", models.CharField(max_length=10, null=True, verbose_name="测量坐标系")),
                (
                    "outline",
                    django.contrib.gis.db.models.fields.MultiPolygonField(spatial_index=False, srid=4490, verbose_name="建筑轮廓"),
                ),
                (
                    "datum_note",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("BALLPARK", "WGS84坐标，按零偏移使用，精度不明"),
                            ("GCJ02", "GCJ-02偏移坐标，未还原"),
                            ("BD09", "BD-09偏移坐标，未还原"),
                            ("PROJECTED", "由投影坐标换算"),
                        ],
                        db_default="",
                        max_length=10,
                        verbose_name="坐标说明",
                    ),
                ),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "建筑物",
                "indexes": [
                    models.Index(fields=["changed_xid", "id"], name="building_changed"),
                    models.Index(fields=["region_code"], name="building_region", opclasses=["text_pattern_ops"]),
                    django.contrib.postgres.indexes.GistIndex(fields=["outline"], name="building_outline"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Division",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("row_key", models.BinaryField(max_length=16, unique=True)),
                ("division_code", models.CharField(max_length=12, verbose_name="区划代码")),
                ("division_level", models.CharField(max_length=10, verbose_name="区划级别")),
                ("valid_from", models.DateField(verbose_name="启用日期")),
                ("valid_to", models.DateField(null=True, verbose_name="停用日期")),
                ("predecessors", models.CharField(max_length=200, null=True, verbose_name="前身区划代码")),
                ("successors", models.CharField(max_length=200, null=True, verbose_name="后继区划代码")),
                ("basis", models.CharField(max_length=100, null=True, verbose_name="批准文号")),
                ("area_km2", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="面积（平方千米）")),
                ("datum", models.CharField(max_length=10, null=True, verbose_name="测量坐标系")),
                (
                    "outline",
                    django.contrib.gis.db.models.fields.MultiPolygonField(
                        null=True, spatial_index=False, srid=4490, verbose_name="界线范围"
                    ),
                ),
                (
                    "datum_note",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("BALLPARK", "WGS84坐标，按零偏移使用，精度不明"),
                            ("GCJ02", "GCJ-02偏移坐标，未还原"),
                            ("BD09", "BD-09偏移坐标，未还原"),
                            ("PROJECTED", "由投影坐标换算"),
                        ],
                        db_default="",
                        max_length=10,
                        verbose_name="坐标说明",
                    ),
                ),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "行政区划沿革",
                "indexes": [
                    models.Index(fields=["changed_xid", "id"], name="division_changed"),
                    models.Index(fields=["division_code", "valid_from"], name="division_code"),
                    django.contrib.postgres.indexes.GistIndex(fields=["outline"], name="division_outline"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DivisionOutline",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "outline",
                    django.contrib.gis.db.models.fields.MultiPolygonField(spatial_index=False, srid=4490, verbose_name="界线范围"),
                ),
                ("superseded_at", models.DateTimeField(null=True, verbose_name="替换时间")),
                (
                    "load",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="outlines",
                        to="basedb.boundaryload",
                        verbose_name="界线装载",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.region", verbose_name="行政区划"
                    ),
                ),
            ],
            options={
                "verbose_name": "区划界线",
                "indexes": [
                    django.contrib.postgres.indexes.GistIndex(
                        condition=models.Q(("superseded_at__isnull", True)), fields=["outline"], name="division_outline_shape"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("superseded_at__isnull", True)), fields=("region",), name="division_outline_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Grid",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("subject_key", models.BinaryField(max_length=16, unique=True)),
                ("doubtful", models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list)),
                ("grid_code", models.CharField(max_length=30, verbose_name="网格编码")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("name", models.CharField(max_length=100, verbose_name="网格名称")),
                ("grid_kind", models.CharField(max_length=1, verbose_name="网格类别")),
                ("households", models.DecimalField(decimal_places=0, max_digits=7, null=True, verbose_name="户数")),
                ("valid_from", models.DateField(null=True, verbose_name="启用日期")),
                ("datum", models.CharField(max_length=10, null=True, verbose_name="测量坐标系")),
                (
                    "outline",
                    django.contrib.gis.db.models.fields.MultiPolygonField(spatial_index=False, srid=4490, verbose_name="网格范围"),
                ),
                (
                    "datum_note",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("BALLPARK", "WGS84坐标，按零偏移使用，精度不明"),
                            ("GCJ02", "GCJ-02偏移坐标，未还原"),
                            ("BD09", "BD-09偏移坐标，未还原"),
                            ("PROJECTED", "由投影坐标换算"),
                        ],
                        db_default="",
                        max_length=10,
                        verbose_name="坐标说明",
                    ),
                ),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "治理网格",
                "indexes": [
                    models.Index(fields=["changed_xid", "id"], name="grid_changed"),
                    models.Index(fields=["region_code"], name="grid_region", opclasses=["text_pattern_ops"]),
                    django.contrib.postgres.indexes.GistIndex(fields=["outline"], name="grid_outline"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Ownership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("row_key", models.BinaryField(max_length=16, unique=True)),
                ("holder_id", models.CharField(max_length=18, verbose_name="权利人证件号")),
                ("holder_kind", models.CharField(max_length=1, verbose_name="权利人类型")),
                ("holder_name", models.CharField(max_length=200, verbose_name="权利人名称")),
                ("certificate_number", models.CharField(max_length=60, verbose_name="不动产权证号")),
                ("unit_code", models.CharField(max_length=28, verbose_name="不动产单元代码")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("estate_right", models.CharField(max_length=2, verbose_name="权利类型")),
                ("share_kind", models.CharField(max_length=1, verbose_name="共有方式")),
                (
                    "share_percent",
                    models.DecimalField(decimal_places=4, max_digits=7, null=True, verbose_name="所占份额（百分比）"),
                ),
                ("registered_on", models.DateField(verbose_name="登簿日期")),
                ("term_from", models.DateField(null=True, verbose_name="权利起始日期")),
                ("term_to", models.DateField(null=True, verbose_name="权利终止日期")),
                ("ended_on", models.DateField(null=True, verbose_name="注销日期")),
                ("right_state", models.CharField(max_length=1, verbose_name="权属状态")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "不动产权利",
                "indexes": [
                    models.Index(fields=["changed_xid", "id"], name="ownership_changed"),
                    models.Index(fields=["subject_key"], name="ownership_subject"),
                    models.Index(fields=["unit_code"], name="ownership_unit"),
                    models.Index(fields=["region_code"], name="ownership_region", opclasses=["text_pattern_ops"]),
                ],
            },
        ),
        migrations.CreateModel(
            name="Parcel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("subject_key", models.BinaryField(max_length=16, unique=True)),
                ("doubtful", models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list)),
                ("parcel_code", models.CharField(max_length=19, unique=True, verbose_name="宗地代码")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("seat", models.CharField(max_length=200, null=True, verbose_name="坐落")),
                ("land_right", models.CharField(max_length=2, null=True, verbose_name="土地权利类型")),
                ("right_nature", models.CharField(max_length=3, null=True, verbose_name="权利性质")),
                ("land_use", models.CharField(max_length=4, null=True, verbose_name="土地用途")),
                ("area", models.DecimalField(decimal_places=6, max_digits=18, verbose_name="宗地面积（平方米）")),
                ("registered_on", models.DateField(null=True, verbose_name="登记日期")),
                ("parcel_state", models.CharField(max_length=1, verbose_name="宗地状态")),
                ("datum", models.CharField(max_length=10, null=True, verbose_name="测量坐标系")),
                (
                    "outline",
                    django.contrib.gis.db.models.fields.MultiPolygonField(spatial_index=False, srid=4490, verbose_name="宗地界址"),
                ),
                (
                    "datum_note",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("BALLPARK", "WGS84坐标，按零偏移使用，精度不明"),
                            ("GCJ02", "GCJ-02偏移坐标，未还原"),
                            ("BD09", "BD-09偏移坐标，未还原"),
                            ("PROJECTED", "由投影坐标换算"),
                        ],
                        db_default="",
                        max_length=10,
                        verbose_name="坐标说明",
                    ),
                ),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "宗地",
                "indexes": [
                    models.Index(fields=["changed_xid", "id"], name="parcel_changed"),
                    models.Index(fields=["region_code"], name="parcel_region", opclasses=["text_pattern_ops"]),
                    django.contrib.postgres.indexes.GistIndex(fields=["outline"], name="parcel_outline"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Place",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("subject_key", models.BinaryField(max_length=16, unique=True)),
                ("doubtful", models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list)),
                ("place_code", models.CharField(max_length=30, verbose_name="地名代码")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("name", models.CharField(max_length=100, verbose_name="标准地名")),
                ("former_name", models.CharField(max_length=100, null=True, verbose_name="曾用名")),
                ("place_kind", models.CharField(max_length=2, verbose_name="地名类别")),
                ("address_code", models.CharField(max_length=30, null=True, verbose_name="地址编码")),
                ("named_on", models.DateField(null=True, verbose_name="命名日期")),
                ("datum", models.CharField(max_length=10, null=True, verbose_name="测量坐标系")),
                ("location", django.contrib.gis.db.models.fields.PointField(spatial_index=False, srid=4490, verbose_name="位置点")),
                (
                    "datum_note",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("BALLPARK", "WGS84坐标，按零偏移使用，精度不明"),
                            ("GCJ02", "GCJ-02偏移坐标，未还原"),
                            ("BD09", "BD-09偏移坐标，未还原"),
                            ("PROJECTED", "由投影坐标换算"),
                        ],
                        db_default="",
                        max_length=10,
                        verbose_name="坐标说明",
                    ),
                ),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "地名",
                "indexes": [
                    models.Index(fields=["changed_xid", "id"], name="place_changed"),
                    models.Index(fields=["region_code"], name="place_region", opclasses=["text_pattern_ops"]),
                    django.contrib.postgres.indexes.GistIndex(fields=["location"], name="place_location"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanningZone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("subject_key", models.BinaryField(max_length=16, unique=True)),
                ("doubtful", models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list)),
                ("zone_code", models.CharField(max_length=30, verbose_name="管控区编码")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("zone_kind", models.CharField(max_length=2, verbose_name="管控区类别")),
                ("name", models.CharField(max_length=100, verbose_name="管控区名称")),
                ("area", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="面积（平方米）")),
                ("approval", models.CharField(max_length=100, null=True, verbose_name="批准文号")),
                ("valid_from", models.DateField(verbose_name="生效日期")),
                ("valid_to", models.DateField(null=True, verbose_name="失效日期")),
                ("datum", models.CharField(max_length=10, null=True, verbose_name="测量坐标系")),
                (
                    "outline",
                    django.contrib.gis.db.models.fields.MultiPolygonField(spatial_index=False, srid=4490, verbose_name="管控范围"),
                ),
                (
                    "datum_note",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("BALLPARK", "WGS84坐标，按零偏移使用，精度不明"),
                            ("GCJ02", "GCJ-02偏移坐标，未还原"),
                            ("BD09", "BD-09偏移坐标，未还原"),
                            ("PROJECTED", "由投影坐标换算"),
                        ],
                        db_default="",
                        max_length=10,
                        verbose_name="坐标说明",
                    ),
                ),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "规划管控区",
                "indexes": [
                    models.Index(fields=["changed_xid", "id"], name="zone_changed"),
                    models.Index(fields=["region_code"], name="zone_region", opclasses=["text_pattern_ops"]),
                    django.contrib.postgres.indexes.GistIndex(fields=["outline"], name="zone_outline"),
                ],
            },
        ),
        migrations.CreateModel(
            name="RealEstateUnit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("subject_key", models.BinaryField(max_length=16, unique=True)),
                ("doubtful", models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list)),
                ("unit_code", models.CharField(max_length=28, unique=True, verbose_name="不动产单元代码")),
                ("parcel_code", models.CharField(max_length=19, verbose_name="所在宗地代码")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("fixture_kind", models.CharField(max_length=1, null=True, verbose_name="定着物种类")),
                ("seat", models.CharField(max_length=200, null=True, verbose_name="坐落")),
                ("building_code", models.CharField(max_length=30, null=True, verbose_name="所在建筑编码")),
                ("floor_area", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="建筑面积（平方米）")),
                ("unit_use", models.CharField(max_length=4, null=True, verbose_name="用途")),
                ("registered_on", models.DateField(null=True, verbose_name="登记日期")),
                ("unit_state", models.CharField(max_length=1, verbose_name="单元状态")),
                ("datum", models.CharField(max_length=10, null=True, verbose_name="测量坐标系")),
                (
                    "outline",
                    django.contrib.gis.db.models.fields.MultiPolygonField(
                        null=True, spatial_index=False, srid=4490, verbose_name="定着物范围"
                    ),
                ),
                (
                    "datum_note",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("BALLPARK", "WGS84坐标，按零偏移使用，精度不明"),
                            ("GCJ02", "GCJ-02偏移坐标，未还原"),
                            ("BD09", "BD-09偏移坐标，未还原"),
                            ("PROJECTED", "由投影坐标换算"),
                        ],
                        db_default="",
                        max_length=10,
                        verbose_name="坐标说明",
                    ),
                ),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "不动产单元",
                "indexes": [
                    models.Index(fields=["changed_xid", "id"], name="unit_changed"),
                    models.Index(fields=["region_code"], name="unit_region", opclasses=["text_pattern_ops"]),
                    models.Index(fields=["parcel_code"], name="unit_parcel"),
                    django.contrib.postgres.indexes.GistIndex(fields=["outline"], name="unit_outline"),
                ],
            },
        ),
        *(_created(statement) for statement in _OVER_TABLES),
        *(_marked(table, column) for table, column in _MARKED.items()),
    ]
