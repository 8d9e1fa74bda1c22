"""Tables of public credit and of what the office does about its records; the catalogue and the tiers of repair as shipped."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared
from basedb.credit.shipped import load_catalog, load_tiers
from core.append_only import guard

IS_JSON_OBJECT = """
CREATE FUNCTION basedb_is_json_object(given text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
  RETURN jsonb_typeof(given::jsonb) = 'object';
EXCEPTION WHEN others THEN
  RETURN false;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("basedb", "0005_geography"),
        ("core", "0005_audit_xid"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditCatalogVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("code", models.CharField(max_length=40, unique=True, verbose_name="版本")),
                ("title", models.CharField(max_length=200, verbose_name="目录名称")),
                ("issued_by", models.CharField(max_length=200, verbose_name="发布机关")),
                ("effective", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="施行期")),
                ("loaded_at", models.DateTimeField(verbose_name="载入时间")),
                ("loaded_by_name", models.CharField(max_length=60, verbose_name="载入人")),
            ],
            options={
                "verbose_name": "公共信用信息目录",
                "ordering": ["-effective"],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("effective", "&&")], name="credit_catalog_one_at_a_time"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("dataset", models.CharField(max_length=60)),
                ("row_key", models.BinaryField(max_length=16)),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("kind", models.CharField(max_length=30, verbose_name="事项")),
                ("actor_name", models.CharField(max_length=60, verbose_name="办理人")),
                ("department", models.CharField(blank=True, max_length=100, verbose_name="部门")),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="说明")),
            ],
            options={
                "verbose_name": "信用记录事项",
                "ordering": ["id"],
                "indexes": [models.Index(fields=["row_key"], name="credit_event_record")],
            },
        ),
        migrations.CreateModel(
            name="CreditShield",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("subject_key", models.BinaryField(max_length=16)),
                ("court", models.CharField(max_length=100, verbose_name="裁定法院")),
                ("case_number", models.CharField(max_length=100, verbose_name="裁定文书号")),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="屏蔽期")),
                ("made_by_name", models.CharField(max_length=60, verbose_name="办理人")),
                ("made_at", models.DateTimeField(verbose_name="办理时间")),
            ],
            options={
                "verbose_name": "临时屏蔽",
                "ordering": ["-id"],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("subject_key", "="), ("period", "&&")], name="credit_shield_one_at_a_time"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditStanding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("dataset", models.CharField(max_length=60)),
                ("row_key", models.BinaryField(max_length=16)),
                ("retracted_at", models.DateTimeField(null=True)),
                ("repaired_at", models.DateTimeField(null=True)),
                ("disputed_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "公示状态",
                "constraints": [models.UniqueConstraint(fields=("dataset", "row_key"), name="credit_standing_once")],
            },
        ),
        migrations.CreateModel(
            name="CreditTakedown",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("last_day", models.DateField(verbose_name="公示截止期")),
                ("records", models.PositiveIntegerField(verbose_name="下架条数")),
                ("done_at", models.DateTimeField(verbose_name="办理时间")),
            ],
            options={
                "verbose_name": "自动下架",
                "ordering": ["-last_day", "dataset"],
                "constraints": [models.UniqueConstraint(fields=("dataset", "last_day"), name="credit_takedown_once")],
            },
        ),
        migrations.CreateModel(
            name="CreditTier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=1, verbose_name="失信程度")),
                ("name", models.CharField(max_length=20, verbose_name="名称")),
                ("min_months", models.PositiveSmallIntegerField(verbose_name="最短公示期(月)")),
                ("max_months", models.PositiveSmallIntegerField(verbose_name="最长公示期(月)")),
                ("accept_days", models.PositiveSmallIntegerField(verbose_name="受理期限(工作日)")),
                ("answer_days", models.PositiveSmallIntegerField(verbose_name="办结期限(工作日)")),
                ("extension_days", models.PositiveSmallIntegerField(verbose_name="可延长(工作日)")),
                ("citation", models.CharField(max_length=200, verbose_name="依据")),
                ("effective", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="施行期")),
            ],
            options={
                "verbose_name": "信用修复规则",
                "ordering": ["code", "effective"],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("code", "="), ("effective", "&&")], name="credit_tier_one_at_a_time"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("min_months__lte", models.F("max_months"))), name="credit_tier_min_before_max"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditAbnormal",
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
                ("subject_name", models.CharField(max_length=200, verbose_name="行政相对人名称")),
                ("subject_category", models.CharField(max_length=10, verbose_name="行政相对人类别")),
                ("subject_code", models.CharField(max_length=18, verbose_name="行政相对人代码")),
                ("document_number", models.CharField(max_length=128, verbose_name="决定文书号")),
                ("item_code", models.CharField(max_length=20, verbose_name="目录条目")),
                ("decided_on", models.DateField(verbose_name="决定日期")),
                ("authority", models.CharField(max_length=200, verbose_name="认定机关")),
                ("authority_code", models.CharField(max_length=18, verbose_name="认定机关代码")),
                ("published_on", models.DateField(null=True, verbose_name="公示日期")),
                ("publish_until", models.DateField(null=True, verbose_name="公示截止期")),
                ("record_state", models.CharField(max_length=1, null=True, verbose_name="记录状态")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("remark", models.CharField(max_length=512, null=True, verbose_name="备注")),
                ("severity", models.CharField(max_length=1, null=True, verbose_name="失信程度")),
                ("repair_notice_on", models.DateField(null=True, verbose_name="信用修复告知书送达日期")),
                ("lifted_on", models.DateField(null=True, verbose_name="移出(解除)日期")),
                ("lifting_document", models.CharField(max_length=128, null=True, verbose_name="移出(解除)决定文书号")),
                ("facts", models.TextField(verbose_name="列入原因")),
                ("lifting_reason", models.TextField(null=True, verbose_name="移出原因")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "经营异常",
                "indexes": [
                    models.Index(fields=["subject_key"], name="abnormal_subject"),
                    models.Index(fields=["changed_xid", "id"], name="abnormal_changed"),
                    models.Index(fields=["source_department", "decided_on", "id"], name="abnormal_department"),
                    models.Index(
                        condition=models.Q(("publish_until__isnull", False)), fields=["publish_until"], name="abnormal_until"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditCatalogItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, verbose_name="条目编码")),
                ("name", models.CharField(max_length=200, verbose_name="条目名称")),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("basis", models.CharField(max_length=300, verbose_name="归集依据")),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="basedb.creditcatalogversion"
                    ),
                ),
            ],
            options={
                "verbose_name": "目录条目",
                "ordering": ["code"],
                "constraints": [models.UniqueConstraint(fields=("version", "code", "dataset"), name="credit_catalog_item_once")],
            },
        ),
        migrations.CreateModel(
            name="CreditCommitment",
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
                ("subject_name", models.CharField(max_length=200, verbose_name="行政相对人名称")),
                ("subject_category", models.CharField(max_length=10, verbose_name="行政相对人类别")),
                ("subject_code", models.CharField(max_length=18, verbose_name="行政相对人代码")),
                ("document_number", models.CharField(max_length=128, verbose_name="决定文书号")),
                ("item_code", models.CharField(max_length=20, verbose_name="目录条目")),
                ("decided_on", models.DateField(verbose_name="决定日期")),
                ("authority", models.CharField(max_length=200, verbose_name="认定机关")),
                ("authority_code", models.CharField(max_length=18, verbose_name="认定机关代码")),
                ("published_on", models.DateField(null=True, verbose_name="公示日期")),
                ("publish_until", models.DateField(null=True, verbose_name="公示截止期")),
                ("record_state", models.CharField(max_length=1, null=True, verbose_name="记录状态")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("remark", models.CharField(max_length=512, null=True, verbose_name="备注")),
                ("commitment_kind", models.CharField(max_length=10, verbose_name="承诺类型")),
                ("matter", models.CharField(max_length=500, verbose_name="承诺事由")),
                ("content", models.TextField(verbose_name="承诺内容")),
                ("valid_to", models.DateField(null=True, verbose_name="承诺有效期至")),
                ("performance", models.CharField(max_length=3, null=True, verbose_name="履约状态")),
                ("judged_on", models.DateField(null=True, verbose_name="履约认定日期")),
                ("breach", models.TextField(null=True, verbose_name="违诺事实")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "信用承诺",
                "indexes": [
                    models.Index(fields=["subject_key"], name="commitment_subject"),
                    models.Index(fields=["changed_xid", "id"], name="commitment_changed"),
                    models.Index(fields=["source_department", "decided_on", "id"], name="commitment_department"),
                    models.Index(
                        condition=models.Q(("publish_until__isnull", False)), fields=["publish_until"], name="commitment_until"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditDishonesty",
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
                ("subject_name", models.CharField(max_length=200, verbose_name="行政相对人名称")),
                ("subject_category", models.CharField(max_length=10, verbose_name="行政相对人类别")),
                ("subject_code", models.CharField(max_length=18, verbose_name="行政相对人代码")),
                ("document_number", models.CharField(max_length=128, verbose_name="决定文书号")),
                ("item_code", models.CharField(max_length=20, verbose_name="目录条目")),
                ("decided_on", models.DateField(verbose_name="决定日期")),
                ("authority", models.CharField(max_length=200, verbose_name="认定机关")),
                ("authority_code", models.CharField(max_length=18, verbose_name="认定机关代码")),
                ("published_on", models.DateField(null=True, verbose_name="公示日期")),
                ("publish_until", models.DateField(null=True, verbose_name="公示截止期")),
                ("record_state", models.CharField(max_length=1, null=True, verbose_name="记录状态")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("remark", models.CharField(max_length=512, null=True, verbose_name="备注")),
                ("severity", models.CharField(max_length=1, null=True, verbose_name="失信程度")),
                ("repair_notice_on", models.DateField(null=True, verbose_name="信用修复告知书送达日期")),
                ("lifted_on", models.DateField(null=True, verbose_name="移出(解除)日期")),
                ("lifting_document", models.CharField(max_length=128, null=True, verbose_name="移出(解除)决定文书号")),
                ("list_title", models.CharField(max_length=200, verbose_name="名单名称")),
                ("facts", models.TextField(verbose_name="列入事由")),
                ("basis", models.TextField(verbose_name="列入依据")),
                ("lifting_authority", models.CharField(max_length=200, null=True, verbose_name="作出移出决定机关")),
                ("lifting_reason", models.TextField(null=True, verbose_name="移出事由")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "严重失信",
                "indexes": [
                    models.Index(fields=["subject_key"], name="dishonesty_subject"),
                    models.Index(fields=["changed_xid", "id"], name="dishonesty_changed"),
                    models.Index(fields=["source_department", "decided_on", "id"], name="dishonesty_department"),
                    models.Index(
                        condition=models.Q(("publish_until__isnull", False)), fields=["publish_until"], name="dishonesty_until"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditEvaluation",
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
                ("subject_name", models.CharField(max_length=200, verbose_name="行政相对人名称")),
                ("subject_category", models.CharField(max_length=10, verbose_name="行政相对人类别")),
                ("subject_code", models.CharField(max_length=18, verbose_name="行政相对人代码")),
                ("document_number", models.CharField(max_length=128, verbose_name="决定文书号")),
                ("item_code", models.CharField(max_length=20, verbose_name="目录条目")),
                ("decided_on", models.DateField(verbose_name="决定日期")),
                ("authority", models.CharField(max_length=200, verbose_name="认定机关")),
                ("authority_code", models.CharField(max_length=18, verbose_name="认定机关代码")),
                ("published_on", models.DateField(null=True, verbose_name="公示日期")),
                ("publish_until", models.DateField(null=True, verbose_name="公示截止期")),
                ("record_state", models.CharField(max_length=1, null=True, verbose_name="记录状态")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("remark", models.CharField(max_length=512, null=True, verbose_name="备注")),
                ("evaluation_title", models.CharField(max_length=200, verbose_name="评价名称")),
                ("level", models.CharField(max_length=20, verbose_name="评价等级")),
                ("score", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="评价得分")),
                ("valid_to", models.DateField(null=True, verbose_name="有效期至")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "信用评价",
                "indexes": [
                    models.Index(fields=["subject_key"], name="evaluation_subject"),
                    models.Index(fields=["changed_xid", "id"], name="evaluation_changed"),
                    models.Index(fields=["source_department", "decided_on", "id"], name="evaluation_department"),
                    models.Index(
                        condition=models.Q(("publish_until__isnull", False)), fields=["publish_until"], name="evaluation_until"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditMeasure",
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
                ("subject_name", models.CharField(max_length=200, verbose_name="行政相对人名称")),
                ("subject_category", models.CharField(max_length=10, verbose_name="行政相对人类别")),
                ("subject_code", models.CharField(max_length=18, verbose_name="行政相对人代码")),
                ("document_number", models.CharField(max_length=128, verbose_name="决定文书号")),
                ("item_code", models.CharField(max_length=20, verbose_name="目录条目")),
                ("decided_on", models.DateField(verbose_name="决定日期")),
                ("authority", models.CharField(max_length=200, verbose_name="认定机关")),
                ("authority_code", models.CharField(max_length=18, verbose_name="认定机关代码")),
                ("published_on", models.DateField(null=True, verbose_name="公示日期")),
                ("publish_until", models.DateField(null=True, verbose_name="公示截止期")),
                ("record_state", models.CharField(max_length=1, null=True, verbose_name="记录状态")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("remark", models.CharField(max_length=512, null=True, verbose_name="备注")),
                ("measure_kind", models.CharField(max_length=2, verbose_name="措施类别")),
                ("content", models.TextField(verbose_name="措施内容")),
                ("basis", models.TextField(verbose_name="措施依据")),
                ("valid_to", models.DateField(null=True, verbose_name="措施有效期至")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "奖惩措施",
                "indexes": [
                    models.Index(fields=["subject_key"], name="measure_subject"),
                    models.Index(fields=["changed_xid", "id"], name="measure_changed"),
                    models.Index(fields=["source_department", "decided_on", "id"], name="measure_department"),
                    models.Index(
                        condition=models.Q(("publish_until__isnull", False)), fields=["publish_until"], name="measure_until"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditObjection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("number", models.CharField(max_length=30, unique=True, verbose_name="编号")),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("row_key", models.BinaryField(max_length=16)),
                ("document_number", models.CharField(max_length=128, verbose_name="决定文书号")),
                ("submitted_at", models.DateTimeField(verbose_name="提交时间")),
                ("reason", models.CharField(max_length=500, verbose_name="理由")),
                ("due_at", models.DateTimeField(null=True, verbose_name="办理期限")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="决定时间")),
                ("answer", models.CharField(blank=True, max_length=500, verbose_name="答复")),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("RAISED", "待核实"),
                            ("RETRACTED", "异议成立，记录已撤销"),
                            ("CORRECTED", "异议成立，待来源更正"),
                            ("DISMISSED", "异议不成立"),
                        ],
                        default="RAISED",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="认定部门"
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提交人",
                    ),
                ),
                (
                    "submitted_from",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="提交部门"
                    ),
                ),
            ],
            options={
                "verbose_name": "信用异议",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["owner", "state", "id"], name="credit_objection_owner")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "RAISED")), fields=("dataset", "row_key"), name="credit_objection_one_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditPenalty",
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
                ("subject_name", models.CharField(max_length=200, verbose_name="行政相对人名称")),
                ("subject_category", models.CharField(max_length=10, verbose_name="行政相对人类别")),
                ("subject_code", models.CharField(max_length=18, verbose_name="行政相对人代码")),
                ("document_number", models.CharField(max_length=128, verbose_name="决定文书号")),
                ("item_code", models.CharField(max_length=20, verbose_name="目录条目")),
                ("decided_on", models.DateField(verbose_name="决定日期")),
                ("authority", models.CharField(max_length=200, verbose_name="认定机关")),
                ("authority_code", models.CharField(max_length=18, verbose_name="认定机关代码")),
                ("published_on", models.DateField(null=True, verbose_name="公示日期")),
                ("publish_until", models.DateField(null=True, verbose_name="公示截止期")),
                ("record_state", models.CharField(max_length=1, null=True, verbose_name="记录状态")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("remark", models.CharField(max_length=512, null=True, verbose_name="备注")),
                ("business_number", models.CharField(max_length=50, null=True, verbose_name="工商注册号")),
                ("organization_code", models.CharField(max_length=9, null=True, verbose_name="组织机构代码")),
                ("tax_number", models.CharField(max_length=20, null=True, verbose_name="税务登记号")),
                ("institution_number", models.CharField(max_length=20, null=True, verbose_name="事业单位证书号")),
                ("society_number", models.CharField(max_length=50, null=True, verbose_name="社会组织登记证号")),
                ("legal_representative", models.CharField(max_length=50, null=True, verbose_name="法定代表人")),
                ("representative_id_type", models.CharField(max_length=64, null=True, verbose_name="法定代表人证件类型")),
                ("representative_id", models.CharField(max_length=64, null=True, verbose_name="法定代表人证件号码")),
                ("subject_id_type", models.CharField(max_length=64, null=True, verbose_name="自然人证件类型")),
                ("source_unit", models.CharField(max_length=200, null=True, verbose_name="数据来源单位")),
                ("source_unit_code", models.CharField(max_length=18, null=True, verbose_name="数据来源单位代码")),
                ("severity", models.CharField(max_length=1, null=True, verbose_name="失信程度")),
                ("repair_notice_on", models.DateField(null=True, verbose_name="信用修复告知书送达日期")),
                ("lifted_on", models.DateField(null=True, verbose_name="移出(解除)日期")),
                ("lifting_document", models.CharField(max_length=128, null=True, verbose_name="移出(解除)决定文书号")),
                ("violation", models.TextField(verbose_name="违法行为类型")),
                ("facts", models.TextField(verbose_name="违法事实")),
                ("basis", models.TextField(verbose_name="处罚依据")),
                ("penalty_category", models.CharField(max_length=100, verbose_name="处罚类别")),
                ("content", models.TextField(verbose_name="处罚内容")),
                ("fine", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="罚款金额(万元)")),
                ("confiscated", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="没收金额(万元)")),
                ("revoked_license", models.CharField(max_length=200, null=True, verbose_name="暂扣或吊销证照")),
                ("valid_until", models.DateField(null=True, verbose_name="处罚有效期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "行政处罚",
                "indexes": [
                    models.Index(fields=["subject_key"], name="penalty_subject"),
                    models.Index(fields=["changed_xid", "id"], name="penalty_changed"),
                    models.Index(fields=["source_department", "decided_on", "id"], name="penalty_department"),
                    models.Index(
                        condition=models.Q(("publish_until__isnull", False)), fields=["publish_until"], name="penalty_until"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditPermit",
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
                ("subject_name", models.CharField(max_length=200, verbose_name="行政相对人名称")),
                ("subject_category", models.CharField(max_length=10, verbose_name="行政相对人类别")),
                ("subject_code", models.CharField(max_length=18, verbose_name="行政相对人代码")),
                ("document_number", models.CharField(max_length=128, verbose_name="决定文书号")),
                ("item_code", models.CharField(max_length=20, verbose_name="目录条目")),
                ("decided_on", models.DateField(verbose_name="决定日期")),
                ("authority", models.CharField(max_length=200, verbose_name="认定机关")),
                ("authority_code", models.CharField(max_length=18, verbose_name="认定机关代码")),
                ("published_on", models.DateField(null=True, verbose_name="公示日期")),
                ("publish_until", models.DateField(null=True, verbose_name="公示截止期")),
                ("record_state", models.CharField(max_length=1, null=True, verbose_name="记录状态")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                ("remark", models.CharField(max_length=512, null=True, verbose_name="备注")),
                ("business_number", models.CharField(max_length=50, null=True, verbose_name="工商注册号")),
                ("organization_code", models.CharField(max_length=9, null=True, verbose_name="组织机构代码")),
                ("tax_number", models.CharField(max_length=20, null=True, verbose_name="税务登记号")),
                ("institution_number", models.CharField(max_length=20, null=True, verbose_name="事业单位证书号")),
                ("society_number", models.CharField(max_length=50, null=True, verbose_name="社会组织登记证号")),
                ("legal_representative", models.CharField(max_length=50, null=True, verbose_name="法定代表人")),
                ("representative_id_type", models.CharField(max_length=64, null=True, verbose_name="法定代表人证件类型")),
                ("representative_id", models.CharField(max_length=64, null=True, verbose_name="法定代表人证件号码")),
                ("subject_id_type", models.CharField(max_length=64, null=True, verbose_name="自然人证件类型")),
                ("source_unit", models.CharField(max_length=200, null=True, verbose_name="数据来源单位")),
                ("source_unit_code", models.CharField(max_length=18, null=True, verbose_name="数据来源单位代码")),
                ("document_title", models.CharField(max_length=64, null=True, verbose_name="决定文书名称")),
                ("permit_category", models.CharField(max_length=2, verbose_name="许可类别")),
                ("certificate_title", models.CharField(max_length=64, null=True, verbose_name="许可证书名称")),
                ("certificate_number", models.CharField(max_length=64, null=True, verbose_name="许可编号")),
                ("content", models.TextField(verbose_name="许可内容")),
                ("valid_from", models.DateField(null=True, verbose_name="有效期自")),
                ("valid_to", models.DateField(null=True, verbose_name="有效期至")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "行政许可",
                "indexes": [
                    models.Index(fields=["subject_key"], name="permit_subject"),
                    models.Index(fields=["changed_xid", "id"], name="permit_changed"),
                    models.Index(fields=["source_department", "decided_on", "id"], name="permit_department"),
                    models.Index(
                        condition=models.Q(("publish_until__isnull", False)), fields=["publish_until"], name="permit_until"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CreditRepair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("number", models.CharField(max_length=30, unique=True, verbose_name="编号")),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("row_key", models.BinaryField(max_length=16)),
                ("document_number", models.CharField(max_length=128, verbose_name="决定文书号")),
                ("submitted_at", models.DateTimeField(verbose_name="提交时间")),
                ("reason", models.CharField(max_length=500, verbose_name="理由")),
                ("due_at", models.DateTimeField(null=True, verbose_name="办理期限")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="决定时间")),
                ("answer", models.CharField(blank=True, max_length=500, verbose_name="答复")),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("SUBMITTED", "待受理"),
                            ("ACCEPTED", "已受理，待核实"),
                            ("CHECKED", "已核实，待决定"),
                            ("GRANTED", "准予修复"),
                            ("REFUSED", "不予修复"),
                            ("DECLINED", "不予受理"),
                            ("CANCELLED", "已撤回"),
                        ],
                        default="SUBMITTED",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("severity", models.CharField(max_length=1, verbose_name="失信程度")),
                ("evidence", models.CharField(max_length=500, verbose_name="义务履行证明")),
                ("finding", models.CharField(blank=True, max_length=500, verbose_name="核实意见")),
                ("is_extended", models.BooleanField(default=False, verbose_name="已延长")),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="认定部门"
                    ),
                ),
                (
                    "submitted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提交人",
                    ),
                ),
                (
                    "submitted_from",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="提交部门"
                    ),
                ),
            ],
            options={
                "verbose_name": "信用修复",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["owner", "state", "id"], name="credit_repair_owner")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("SUBMITTED", "ACCEPTED", "CHECKED"))),
                        fields=("dataset", "row_key"),
                        name="credit_repair_one_open",
                    )
                ],
            },
        ),
        migrations.RunSQL(*guard("basedb_creditevent")),
        migrations.RunSQL(IS_JSON_OBJECT, "DROP FUNCTION basedb_is_json_object"),
        migrations.RunPython(load_catalog, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(load_tiers, migrations.RunPython.noop, elidable=False),
    ]
