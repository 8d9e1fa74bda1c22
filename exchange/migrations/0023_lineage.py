"""Lineage: its nodes and edges with since when they stand, when they were derived last, and columns found broken."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0005_audit_xid"), ("exchange", "0022_layers")]
    operations = [
        migrations.CreateModel(
            name="LineageEdge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("upstream", models.CharField(max_length=250)),
                ("downstream", models.CharField(max_length=250)),
                ("detail", models.JSONField(default=dict)),
                ("first_seen", models.DateTimeField()),
                ("last_seen", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "血缘关系",
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["upstream"], name="lineage_edge_upstream"),
                    models.Index(fields=["downstream"], name="lineage_edge_downstream"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("last_seen", None)), fields=("upstream", "downstream"), name="lineage_edge_open_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("last_seen", None), ("last_seen__gte", models.F("first_seen")), _connector="OR"),
                        name="lineage_edge_seen_in_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LineageRefresh",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "血缘更新",
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="lineage_refresh_one_row")],
            },
        ),
        migrations.CreateModel(
            name="ColumnBreak",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("column", models.CharField(max_length=128, verbose_name="数源字段")),
                ("is_missing", models.BooleanField(verbose_name="缺失")),
                ("found_at", models.DateTimeField(verbose_name="发现时间")),
                ("mended_at", models.DateTimeField(null=True, verbose_name="恢复时间")),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="column_breaks", to="exchange.aggregationplan"
                    ),
                ),
            ],
            options={
                "verbose_name": "数源字段异常",
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("mended_at", None)), fields=("plan", "column"), name="column_break_open_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LineageNode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=250, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("SOURCE", "数源"),
                            ("COLUMN", "数源字段"),
                            ("DATASET", "数据集"),
                            ("FIELD", "数据集字段"),
                            ("RESOURCE", "信息资源"),
                            ("ITEM", "信息项"),
                            ("SERVICE", "共享服务"),
                            ("GRANT", "授权"),
                            ("SYSTEM", "使用方系统"),
                            ("BACKFLOW", "数据回流"),
                        ],
                        max_length=10,
                        verbose_name="类别",
                    ),
                ),
                ("title", models.CharField(max_length=200, verbose_name="名称")),
                ("parent", models.CharField(blank=True, max_length=250)),
                ("object_uid", models.UUIDField(null=True)),
                ("detail", models.JSONField(default=dict)),
                (
                    "department",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.department",
                        verbose_name="部门",
                    ),
                ),
            ],
            options={
                "verbose_name": "血缘节点",
                "ordering": ["kind", "key"],
                "indexes": [
                    models.Index(fields=["parent"], name="lineage_node_parent"),
                    models.Index(fields=["kind", "object_uid"], name="lineage_node_object"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "SOURCE",
                                    "COLUMN",
                                    "DATASET",
                                    "FIELD",
                                    "RESOURCE",
                                    "ITEM",
                                    "SERVICE",
                                    "GRANT",
                                    "SYSTEM",
                                    "BACKFLOW",
                                ],
                            )
                        ),
                        name="lineage_node_kind_known",
                    )
                ],
            },
        ),
    ]
