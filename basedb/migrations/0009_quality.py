"""Quality: rules with their versions, checks, results, tasks of departments and the rows they are about."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("basedb", "0008_matching"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="QualityCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("batch", models.UUIDField(null=True, verbose_name="归集批次")),
                ("run_id", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("QUEUED", "排队中"), ("RUNNING", "检查中"), ("DONE", "已完成"), ("FAILED", "失败")],
                        default="QUEUED",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("queued_at", models.DateTimeField(verbose_name="提交时间")),
                ("started_at", models.DateTimeField(null=True, verbose_name="开始时间")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="结束时间")),
                ("row_count", models.BigIntegerField(default=0, verbose_name="检查行数")),
                ("message", models.CharField(blank=True, max_length=300, verbose_name="说明")),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "质量检查",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="QualityRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("code", models.CharField(max_length=80, verbose_name="规则代码")),
                ("version", models.PositiveIntegerField(default=1, verbose_name="版本")),
                ("title", models.CharField(max_length=100, verbose_name="规则")),
                (
                    "dimension",
                    models.CharField(
                        choices=[
                            ("CONFORMITY", "规范性"),
                            ("COMPLETENESS", "完整性"),
                            ("ACCURACY", "准确性"),
                            ("CONSISTENCY", "一致性"),
                            ("TIMELINESS", "时效性"),
                            ("ACCESSIBILITY", "可访问性"),
                            ("UNIQUENESS", "唯一性"),
                        ],
                        max_length=14,
                        verbose_name="维度",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("REQUIRED", "必填"),
                            ("FORM", "格式、长度与代码"),
                            ("CODES", "取值范围"),
                            ("RANGE", "数值与日期范围"),
                            ("COMPARE", "字段间比较"),
                            ("AGREES", "与标识一致"),
                            ("CHECK_DIGIT", "校验码"),
                            ("REFERENCE", "跨库引用"),
                            ("NOT_DOUBTFUL", "多源一致"),
                            ("UNIQUE", "唯一"),
                            ("MEASURE", "运行指标"),
                        ],
                        max_length=14,
                        verbose_name="类别",
                    ),
                ),
                ("field", models.CharField(blank=True, max_length=60, verbose_name="字段")),
                ("parameters", models.JSONField(blank=True, default=dict, verbose_name="参数")),
                ("warn_below", models.DecimalField(decimal_places=2, default=99, max_digits=5, verbose_name="预警线(%)")),
                ("fail_below", models.DecimalField(decimal_places=2, default=95, max_digits=5, verbose_name="不合格线(%)")),
                ("weight", models.PositiveSmallIntegerField(default=1, verbose_name="权重")),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("retired_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "质量规则",
                "ordering": ["dataset", "code", "-version"],
            },
        ),
        migrations.CreateModel(
            name="QualityResult",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("checked", models.BigIntegerField(default=0, verbose_name="检查数")),
                ("failed", models.BigIntegerField(default=0, verbose_name="不合格数")),
                ("error", models.CharField(blank=True, max_length=200, verbose_name="未能执行")),
                (
                    "check_of",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="results", to="basedb.qualitycheck"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="results", to="basedb.qualityrule"),
                ),
            ],
            options={
                "verbose_name": "质量结果",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="QualityTask",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("rule_code", models.CharField(max_length=80, verbose_name="规则代码")),
                ("title", models.CharField(max_length=100, verbose_name="事项")),
                (
                    "dimension",
                    models.CharField(
                        choices=[
                            ("CONFORMITY", "规范性"),
                            ("COMPLETENESS", "完整性"),
                            ("ACCURACY", "准确性"),
                            ("CONSISTENCY", "一致性"),
                            ("TIMELINESS", "时效性"),
                            ("ACCESSIBILITY", "可访问性"),
                            ("UNIQUENESS", "唯一性"),
                        ],
                        max_length=14,
                        verbose_name="维度",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="发现时间")),
                ("due_at", models.DateTimeField(verbose_name="整改期限")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="办结时间")),
                ("open_count", models.BigIntegerField(default=0, verbose_name="待处理行数")),
                ("unlisted_count", models.BigIntegerField(default=0, verbose_name="未列出行数")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="责任部门"
                    ),
                ),
            ],
            options={
                "verbose_name": "质量整改单",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="QualityFault",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "uid",
                    models.UUIDField(
                        db_default=models.Func(function="gen_random_uuid"), default=core.ids.uuid7, editable=False, unique=True
                    ),
                ),
                ("row_id", models.BigIntegerField()),
                ("row_version", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "待处理"), ("FIXED", "已改正"), ("ACCEPTED", "情况属实，不改")],
                        db_default="OPEN",
                        default="OPEN",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(blank=True, db_default="", max_length=200, verbose_name="说明")),
                ("found_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("settled_at", models.DateTimeField(null=True)),
                (
                    "task",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="faults", to="basedb.qualitytask"
                    ),
                ),
            ],
            options={
                "verbose_name": "问题数据",
                "ordering": ["id"],
            },
        ),
        migrations.AddIndex(
            model_name="qualitycheck",
            index=models.Index(fields=["dataset", "-id"], name="quality_check_dataset"),
        ),
        migrations.AddConstraint(
            model_name="qualitycheck",
            constraint=models.UniqueConstraint(
                condition=models.Q(("batch", None), ("state__in", ["QUEUED", "RUNNING"])),
                fields=("dataset",),
                name="quality_check_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="qualitycheck",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "FAILED"), _negated=True), fields=("batch",), name="quality_check_batch_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityrule",
            constraint=models.UniqueConstraint(fields=("dataset", "code", "version"), name="quality_rule_version_once"),
        ),
        migrations.AddConstraint(
            model_name="qualityrule",
            constraint=models.UniqueConstraint(
                condition=models.Q(("retired_at", None)), fields=("dataset", "code"), name="quality_rule_one_current"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("fail_below__lte", models.F("warn_below"))), name="quality_rule_lines_in_order"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityrule",
            constraint=models.CheckConstraint(condition=models.Q(("warn_below__lte", 100)), name="quality_rule_lines_percent"),
        ),
        migrations.AddConstraint(
            model_name="qualityresult",
            constraint=models.UniqueConstraint(
                fields=("check_of", "rule", "department"), name="quality_result_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityresult",
            constraint=models.CheckConstraint(
                condition=models.Q(("failed__gte", 0), ("failed__lte", models.F("checked"))), name="quality_result_counts"
            ),
        ),
        migrations.AddConstraint(
            model_name="qualityresult",
            constraint=models.CheckConstraint(
                condition=models.Q(("error", ""), ("checked", 0), _connector="OR"), name="quality_error_has_no_counts"
            ),
        ),
        migrations.AddIndex(
            model_name="qualitytask",
            index=models.Index(fields=["department", "closed_at", "id"], name="quality_task_department"),
        ),
        migrations.AddConstraint(
            model_name="qualitytask",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at", None)), fields=("dataset", "rule_code", "department"), name="quality_task_one_open"
            ),
        ),
        migrations.AddIndex(
            model_name="qualityfault",
            index=models.Index(fields=["task", "state", "id"], name="quality_fault_task"),
        ),
        migrations.AddConstraint(
            model_name="qualityfault",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "FIXED"), _negated=True), fields=("task", "row_id"), name="quality_fault_once"
            ),
        ),
    ]
