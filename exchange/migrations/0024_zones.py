"""Figures of data zones."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0023_lineage"), ("core", "0005_audit_xid")]
    operations = [
        migrations.CreateModel(
            name="ZoneFigure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("measured_on", models.DateField(verbose_name="日期")),
                ("measured_at", models.DateTimeField(verbose_name="统计时间")),
                ("row_count", models.BigIntegerField(default=0, verbose_name="行数")),
                ("source_count", models.IntegerField(default=0, verbose_name="数源数")),
                ("last_good_run_at", models.DateTimeField(null=True, verbose_name="最近成功归集")),
                ("promised_minutes", models.PositiveIntegerField(null=True, verbose_name="承诺周期(分钟)")),
                ("reject_count", models.BigIntegerField(default=0, verbose_name="待处理拒收")),
                ("quality_task_count", models.BigIntegerField(default=0, verbose_name="未办结整改单")),
                ("conflict_count", models.BigIntegerField(default=0, verbose_name="待核实校核单")),
                ("quality_percent", models.FloatField(null=True, verbose_name="质量得分")),
                ("grant_count", models.BigIntegerField(default=0, verbose_name="有效授权")),
                ("call_count", models.BigIntegerField(default=0, verbose_name="近30天调用")),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "专区快照",
                "ordering": ["department", "dataset", "measured_on"],
                "constraints": [models.UniqueConstraint(fields=("department", "dataset", "measured_on"), name="zone_figure_once")],
            },
        ),
    ]
