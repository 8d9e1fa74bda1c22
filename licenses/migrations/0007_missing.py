"""Reports of missing licenses, the steps of each and the clocks they run under, as they are shipped."""

from datetime import date

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
from core import append_only

# Working days of each stage. Ours, to be checked against the rules of the place; the data centre changes them on a page.
CLOCKS = (("RECEIVE", 1), ("CHECK", 5), ("EXTENSION", 5), ("REISSUE", 3))


def load_clocks(apps, _editor):
    clocks = apps.get_model("licenses", "MissingClock").objects
    for stage, days in CLOCKS:
        clocks.create(stage=stage, days=days, citation="本市电子证照补发办理规则", effective=(date(2026, 1, 1), None))


class Migration(migrations.Migration):
    dependencies = [("licenses", "0006_presenting")]

    operations = [
        migrations.CreateModel(
            name="MissingClock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "stage",
                    models.CharField(
                        choices=[("RECEIVE", "接收"), ("CHECK", "核查档案"), ("EXTENSION", "延长核查"), ("REISSUE", "补发")],
                        max_length=10,
                        verbose_name="环节",
                    ),
                ),
                ("days", models.PositiveSmallIntegerField(verbose_name="工作日")),
                ("citation", models.CharField(max_length=200, verbose_name="依据")),
                ("effective", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="施行期")),
            ],
            options={
                "verbose_name": "缺失证照办理期限",
                "ordering": ["stage", "effective"],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("stage", "="), ("effective", "&&")], name="missing_clock_one_at_a_time"
                    ),
                    models.CheckConstraint(condition=models.Q(("days__gte", 1), ("days__lte", 60)), name="missing_clock_days"),
                ],
            },
        ),
        migrations.CreateModel(
            name="MissingReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("number", models.CharField(max_length=30, unique=True, verbose_name="编号")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("PAPER_ONLY", "只有纸质证照"),
                            ("NOT_FOUND", "应有而查不到"),
                            ("LOST", "证照遗失"),
                            ("WRONG", "电子证照内容有误"),
                        ],
                        max_length=20,
                        verbose_name="情形",
                    ),
                ),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("type_name", models.CharField(max_length=200, verbose_name="证照类型")),
                ("region_code", models.CharField(max_length=12, verbose_name="管辖属地")),
                ("holder_name", models.CharField(max_length=200, verbose_name="持证主体")),
                ("holder_code", models.CharField(max_length=18, verbose_name="持证主体代码")),
                ("holder_code_type", models.CharField(max_length=3, verbose_name="持证主体代码类型")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("paper_number", models.CharField(blank=True, default="", max_length=100, verbose_name="证照编号")),
                ("note", models.CharField(max_length=500, verbose_name="情况说明")),
                ("is_by_holder", models.BooleanField(default=False, verbose_name="持证人报告")),
                ("reported_at", models.DateTimeField(verbose_name="报告时间")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("REPORTED", "待接收"),
                            ("CHECKING", "正在核查档案"),
                            ("DENYING", "拟答复查无，待负责人确认"),
                            ("REISSUING", "正在补发"),
                            ("REISSUED", "已补发"),
                            ("FOUND", "已有电子证照"),
                            ("ABSENT", "档案中查无此证"),
                            ("WITHDRAWN", "已撤回"),
                            ("JOINED", "已并入他人的报告"),
                        ],
                        default="REPORTED",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("due_at", models.DateTimeField(null=True, verbose_name="办理期限")),
                ("is_extended", models.BooleanField(default=False, verbose_name="已延长")),
                (
                    "reminder",
                    models.CharField(
                        choices=[("NONE", "未提醒"), ("SOON", "已提醒将到期"), ("OVERDUE", "已提醒超期")],
                        default="NONE",
                        max_length=10,
                        verbose_name="提醒",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="办结时间")),
                ("answer", models.CharField(blank=True, default="", max_length=500, verbose_name="答复")),
                ("identifier", models.CharField(blank=True, default="", max_length=128, verbose_name="电子证照标识")),
                ("draft_uid", models.UUIDField(null=True)),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.department",
                        verbose_name="核查部门",
                    ),
                ),
                (
                    "joined_into",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="joined", to="licenses.missingreport"
                    ),
                ),
                (
                    "license",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licenses.license",
                    ),
                ),
                (
                    "reported_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="报告人",
                    ),
                ),
                (
                    "reported_from",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.department",
                        verbose_name="报告部门",
                    ),
                ),
            ],
            options={
                "verbose_name": "缺失证照报告",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="MissingStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("command", models.CharField(max_length=20, verbose_name="办理")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("REPORTED", "待接收"),
                            ("CHECKING", "正在核查档案"),
                            ("DENYING", "拟答复查无，待负责人确认"),
                            ("REISSUING", "正在补发"),
                            ("REISSUED", "已补发"),
                            ("FOUND", "已有电子证照"),
                            ("ABSENT", "档案中查无此证"),
                            ("WITHDRAWN", "已撤回"),
                            ("JOINED", "已并入他人的报告"),
                        ],
                        max_length=10,
                        verbose_name="办理后状态",
                    ),
                ),
                ("actor_name", models.CharField(max_length=60, verbose_name="办理人")),
                ("department_name", models.CharField(blank=True, max_length=100, verbose_name="部门")),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="说明")),
                ("at", models.DateTimeField(verbose_name="时间")),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="steps", to="licenses.missingreport"
                    ),
                ),
            ],
            options={
                "verbose_name": "缺失证照办理记录",
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="missingreport",
            index=models.Index(fields=["department", "state", "-id"], name="missing_desk"),
        ),
        migrations.AddIndex(
            model_name="missingreport",
            index=models.Index(fields=["reported_from", "-id"], name="missing_reporter"),
        ),
        migrations.AddIndex(
            model_name="missingreport",
            index=models.Index(fields=["subject_key", "-id"], name="missing_subject"),
        ),
        migrations.AddIndex(
            model_name="missingreport",
            index=models.Index(
                condition=models.Q(("state__in", ("REPORTED", "CHECKING", "DENYING", "REISSUING"))),
                fields=["due_at"],
                name="missing_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="missingreport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("REPORTED", "CHECKING", "DENYING", "REISSUING"))),
                fields=("type_code", "subject_key", "paper_number"),
                name="missing_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="missingreport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("joined_into__isnull", False), ("state", "JOINED")),
                    models.Q(models.Q(("state", "JOINED"), _negated=True), ("joined_into", None)),
                    _connector="OR",
                ),
                name="missing_joined_into",
            ),
        ),
        migrations.AddConstraint(
            model_name="missingreport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["REPORTED", "CHECKING", "DENYING", "REISSUING", "REISSUED", "FOUND", "ABSENT", "WITHDRAWN", "JOINED"],
                    )
                ),
                name="missing_state_known",
            ),
        ),
        migrations.RunSQL(*append_only.guard("licenses_missingstep")),
        migrations.RunPython(load_clocks, migrations.RunPython.noop),
    ]
