"""Plans get their source (数源), ways to learn of deletions and parallel parts; runs a manifest and exact counts."""

import django.db.models.deletion
from django.db import migrations, models

FILL = """
INSERT INTO basedb_datasource (code, title, dataset, department_id, collector, is_lead, is_keyless)
SELECT DISTINCT p.dataset || '.' || p.department_id, d.name, p.dataset, p.department_id,
    CASE WHEN p.dataset LIKE 'population.%' THEN 'PUBLIC_SECURITY' ELSE 'MARKET_REGULATION' END, true, false
FROM exchange_aggregationplan p JOIN core_department d ON d.id = p.department_id
WHERE NOT EXISTS (SELECT FROM basedb_datasource s WHERE s.code = p.dataset || '.' || p.department_id);
UPDATE exchange_aggregationplan p SET source_id = s.id FROM basedb_datasource s WHERE s.code = p.dataset || '.' || p.department_id;
UPDATE exchange_aggregationrun SET unchanged_count = accepted_count - changed_count;
SET CONSTRAINTS ALL IMMEDIATE
"""
STATES = [
    ("QUEUED", "排队中"),
    ("RUNNING", "运行中"),
    ("SUCCEEDED", "已完成"),
    ("STOPPED", "已停止"),
    ("FAILED", "失败"),
]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0019_subject_tokens"), ("basedb", "0011_pipeline")]
    operations = [
        migrations.AddField(
            model_name="aggregationplan",
            name="source",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="basedb.datasource",
                verbose_name="数源",
            ),
        ),
        migrations.AddField(
            model_name="aggregationplan",
            name="valid_from_column",
            field=models.CharField(blank=True, default="", max_length=60, verbose_name="生效时间字段"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="aggregationplan",
            name="delete_mode",
            field=models.CharField(
                choices=[("NONE", "不处理删除"), ("TOMBSTONE", "按删除标志"), ("FULL_KEYS", "全量主键比对")],
                default="NONE",
                max_length=10,
                verbose_name="删除处理",
            ),
        ),
        migrations.AddField(
            model_name="aggregationplan",
            name="tombstone_column",
            field=models.CharField(blank=True, default="", max_length=60, verbose_name="删除标志字段"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="aggregationplan",
            name="tombstone_value",
            field=models.CharField(blank=True, default="", max_length=20, verbose_name="删除标志值"),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="aggregationplan",
            name="delete_limit_percent",
            field=models.PositiveSmallIntegerField(default=10, verbose_name="删除上限(%)"),
        ),
        migrations.AddField(
            model_name="aggregationplan",
            name="parts",
            field=models.PositiveSmallIntegerField(default=1, verbose_name="并行分片"),
        ),
        migrations.AddField(
            model_name="aggregationrun",
            name="unchanged_count",
            field=models.BigIntegerField(default=0, verbose_name="未变"),
        ),
        migrations.AddField(
            model_name="aggregationrun",
            name="deleted_count",
            field=models.BigIntegerField(default=0, verbose_name="删除"),
        ),
        migrations.AddField(
            model_name="aggregationrun",
            name="manifest",
            field=models.JSONField(default=dict, verbose_name="清单"),
        ),
        migrations.AddField(model_name="aggregationbatch", name="unchanged_count", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="aggregationbatch", name="deleted_count", field=models.IntegerField(default=0)),
        migrations.AddField(model_name="aggregationbatch", name="part", field=models.PositiveSmallIntegerField(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="aggregationplan",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="basedb.datasource", verbose_name="数源"
            ),
        ),
        migrations.CreateModel(
            name="AggregationPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("after", models.CharField(max_length=200, null=True)),
                ("upto", models.CharField(max_length=200, null=True)),
                ("state", models.CharField(choices=STATES, default="QUEUED", max_length=10, verbose_name="状态")),
                ("checkpoint", models.JSONField(default=dict)),
                ("manifest", models.JSONField(default=dict)),
                ("read_count", models.BigIntegerField(default=0, verbose_name="读取")),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="exchange.aggregationrun"
                    ),
                ),
            ],
            options={
                "verbose_name": "归集分片",
                "ordering": ["number"],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "number"), name="part_once"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["QUEUED", "RUNNING", "SUCCEEDED", "STOPPED", "FAILED"])),
                        name="part_state_known",
                    ),
                ],
            },
        ),
    ]
