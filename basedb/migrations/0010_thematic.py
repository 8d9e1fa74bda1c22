"""Thematic databases: definitions, their rows with history, refreshes."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared


class Migration(migrations.Migration):
    dependencies = [
        ("basedb", "0009_quality"),
        ("core", "0005_audit_xid"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="ThematicDataset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("code", models.CharField(max_length=60, verbose_name="代码")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="版本")),
                ("title", models.CharField(max_length=100, verbose_name="名称")),
                ("kind", models.CharField(choices=[("THEME", "主题库"), ("TOPIC", "专题库")], max_length=5, verbose_name="类别")),
                (
                    "subject",
                    models.CharField(choices=[("PERSON", "自然人"), ("LEGAL_ENTITY", "法人")], max_length=12, verbose_name="主体"),
                ),
                ("purpose", models.CharField(max_length=300, verbose_name="用途")),
                ("legal_basis", models.CharField(max_length=200, verbose_name="依据")),
                ("spec", models.JSONField(verbose_name="定义")),
                ("every_minutes", models.PositiveIntegerField(blank=True, null=True, verbose_name="更新间隔(分钟)")),
                ("daily_at", models.TimeField(blank=True, null=True, verbose_name="每天更新时刻")),
                (
                    "state",
                    models.CharField(
                        choices=[("DRAFTED", "待审核"), ("APPROVED", "已生效"), ("RETIRED", "已停用")],
                        default="DRAFTED",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="起草时间")),
                ("approved_at", models.DateTimeField(null=True, verbose_name="生效时间")),
                ("retired_at", models.DateTimeField(null=True, verbose_name="停用时间")),
                ("next_refresh_at", models.DateTimeField(null=True, verbose_name="下次更新")),
                (
                    "approver",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审核人",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="起草人",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="建设部门"
                    ),
                ),
            ],
            options={
                "verbose_name": "主题库与专题库",
                "ordering": ["code", "-version"],
            },
        ),
        migrations.CreateModel(
            name="ThematicRefresh",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("QUEUED", "排队中"), ("RUNNING", "更新中"), ("DONE", "已完成"), ("FAILED", "失败")],
                        default="QUEUED",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("queued_at", models.DateTimeField(verbose_name="提交时间")),
                ("started_at", models.DateTimeField(null=True, verbose_name="开始时间")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="结束时间")),
                ("row_count", models.BigIntegerField(default=0, verbose_name="行数")),
                ("entered_count", models.BigIntegerField(default=0, verbose_name="进入")),
                ("changed_count", models.BigIntegerField(default=0, verbose_name="变更")),
                ("left_count", models.BigIntegerField(default=0, verbose_name="移出")),
                ("regions", models.JSONField(default=dict)),
                ("levels", models.JSONField(default=dict)),
                ("message", models.CharField(blank=True, max_length=300, verbose_name="说明")),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "definition",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="refreshes", to="basedb.thematicdataset"
                    ),
                ),
            ],
            options={
                "verbose_name": "主题库更新",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ThematicRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=60)),
                ("subject_key", models.BinaryField(max_length=16)),
                ("region_code", models.CharField(max_length=12)),
                ("level", models.CharField(blank=True, db_default="", max_length=40)),
                ("values", models.JSONField()),
                ("definition_version", models.PositiveIntegerField()),
                ("entered_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="进入时间")),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="变更时间")),
                ("left_at", models.DateTimeField(null=True, verbose_name="移出时间")),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
            ],
            options={
                "verbose_name": "主题库记录",
                "indexes": [
                    models.Index(
                        condition=models.Q(("left_at", None)), fields=["code", "region_code", "id"], name="thematic_row_region"
                    ),
                    models.Index(condition=models.Q(("left_at", None)), fields=["code", "level", "id"], name="thematic_row_level"),
                    models.Index(fields=["code", "changed_xid", "id"], name="thematic_row_changed"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("left_at", None)), fields=("code", "subject_key"), name="thematic_row_once"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="thematicdataset",
            constraint=models.UniqueConstraint(fields=("code", "version"), name="thematic_version_once"),
        ),
        migrations.AddConstraint(
            model_name="thematicdataset",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "APPROVED")), fields=("code",), name="thematic_one_in_force"
            ),
        ),
        migrations.AddConstraint(
            model_name="thematicdataset",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "DRAFTED")), fields=("code",), name="thematic_one_draft"
            ),
        ),
        migrations.AddConstraint(
            model_name="thematicdataset",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("daily_at__isnull", False), ("every_minutes__isnull", True)),
                    models.Q(("daily_at__isnull", True), ("every_minutes__gte", 5)),
                    _connector="OR",
                ),
                name="thematic_one_plan",
            ),
        ),
        migrations.AddConstraint(
            model_name="thematicdataset",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approver__isnull", True), models.Q(("approver", models.F("author")), _negated=True), _connector="OR"
                ),
                name="thematic_approved_by_another",
            ),
        ),
        migrations.AddIndex(
            model_name="thematicrefresh",
            index=models.Index(fields=["definition", "-id"], name="thematic_refresh_of"),
        ),
        migrations.AddConstraint(
            model_name="thematicrefresh",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["QUEUED", "RUNNING"])),
                fields=("definition",),
                name="thematic_refresh_one_at_a_time",
            ),
        ),
    ]
