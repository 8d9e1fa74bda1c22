"""Connectors: the kinds of sources, the schema of each, its changes, and plans being laid down."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared


class Migration(migrations.Migration):
    dependencies = [("core", "0005_audit_xid"), ("exchange", "0020_aggregation_plans")]
    operations = [
        migrations.AlterField(
            model_name="aggregationplan",
            name="connector",
            field=models.CharField(
                choices=[
                    ("POSTGRESQL", "部门数据库(PostgreSQL)"),
                    ("MYSQL", "部门数据库(MySQL/MariaDB)"),
                    ("SQL_SERVER", "部门数据库(SQL Server)"),
                    ("ORACLE", "部门数据库(Oracle)"),
                    ("DM", "部门数据库(达梦)"),
                    ("CSV_DROP", "前置机文件(CSV)"),
                    ("EXCEL_DROP", "前置机文件(Excel)"),
                    ("JSON_DROP", "前置机文件(JSON 行)"),
                    ("GEO_DROP", "前置机空间数据文件"),
                    ("HTTP_PAGES", "接口分页读取(HTTP)"),
                ],
                max_length=12,
                verbose_name="接入方式",
            ),
        ),
        migrations.CreateModel(
            name="PlanDraft",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("secret_key_id", models.PositiveIntegerField(editable=False, null=True)),
                ("secret_nonce", models.BinaryField(max_length=12, null=True)),
                ("secret_ciphertext", models.BinaryField(null=True)),
                ("title", models.CharField(max_length=100, verbose_name="归集任务")),
                ("dataset", models.CharField(blank=True, max_length=60, verbose_name="目标数据集")),
                (
                    "connector",
                    models.CharField(
                        choices=[
                            ("POSTGRESQL", "部门数据库(PostgreSQL)"),
                            ("MYSQL", "部门数据库(MySQL/MariaDB)"),
                            ("SQL_SERVER", "部门数据库(SQL Server)"),
                            ("ORACLE", "部门数据库(Oracle)"),
                            ("DM", "部门数据库(达梦)"),
                            ("CSV_DROP", "前置机文件(CSV)"),
                            ("EXCEL_DROP", "前置机文件(Excel)"),
                            ("JSON_DROP", "前置机文件(JSON 行)"),
                            ("GEO_DROP", "前置机空间数据文件"),
                            ("HTTP_PAGES", "接口分页读取(HTTP)"),
                        ],
                        max_length=12,
                        verbose_name="接入方式",
                    ),
                ),
                ("settings", models.JSONField(default=dict, verbose_name="接入参数")),
                ("mapping", models.JSONField(default=dict, verbose_name="字段对应")),
                (
                    "created_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="数源部门"
                    ),
                ),
                (
                    "plan",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="draft", to="exchange.aggregationplan"
                    ),
                ),
            ],
            options={
                "verbose_name": "归集任务草稿",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="SourceSchema",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("columns", models.JSONField(default=dict)),
                ("fingerprint", models.CharField(max_length=64)),
                ("seen_at", models.DateTimeField()),
                (
                    "plan",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="source_schema", to="exchange.aggregationplan"
                    ),
                ),
            ],
            options={
                "verbose_name": "数源结构",
            },
        ),
        migrations.CreateModel(
            name="SchemaChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("column", models.CharField(max_length=128, verbose_name="数源字段")),
                ("column_type", models.CharField(blank=True, max_length=100, verbose_name="类型")),
                ("comment", models.CharField(blank=True, max_length=200, verbose_name="注释")),
                (
                    "state",
                    models.CharField(
                        choices=[("PENDING", "待确认"), ("ACCEPTED", "已纳入"), ("IGNORED", "不纳入")],
                        default="PENDING",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("field", models.CharField(blank=True, max_length=60, verbose_name="信息项")),
                ("found_at", models.DateTimeField(verbose_name="发现时间")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="确认时间")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="schema_changes", to="exchange.aggregationplan"
                    ),
                ),
            ],
            options={
                "verbose_name": "数源结构变化",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "PENDING")), fields=("plan", "column"), name="schema_change_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["PENDING", "ACCEPTED", "IGNORED"])), name="schema_change_state_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at", None), ("state", "PENDING")),
                            models.Q(models.Q(("state", "PENDING"), _negated=True), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="schema_change_decided",
                    ),
                ],
            },
        ),
    ]
