"""Published status lists, and how often licenses were verified."""

import django.db.models.deletion
from django.db import migrations, models

import core.models.shared


class Migration(migrations.Migration):
    dependencies = [("licenses", "0004_files")]

    operations = [
        migrations.CreateModel(
            name="StatusList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        choices=[("issued", "本平台签发的证照"), ("aggregated", "全市归集的证照")],
                        max_length=20,
                        verbose_name="清单",
                    ),
                ),
                ("number", models.PositiveIntegerField(verbose_name="期号")),
                ("length", models.BigIntegerField(verbose_name="位置数")),
                ("counts", models.JSONField(default=dict, verbose_name="各状态件数")),
                ("document", models.BinaryField()),
                ("size", models.PositiveIntegerField(verbose_name="字节数")),
                ("sha256", models.BinaryField(max_length=32)),
                ("digest", models.BinaryField(max_length=32)),
                ("built_at", models.DateTimeField(verbose_name="生成时间")),
                ("valid_until", models.DateTimeField(verbose_name="有效至")),
                ("through_xid", core.models.shared.XidField()),
                ("checked_at", models.DateTimeField(verbose_name="最近核对")),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licenses.sealkey",
                        verbose_name="签名密钥",
                    ),
                ),
            ],
            options={
                "verbose_name": "证照状态清单",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(fields=("name", "number"), name="status_list_once"),
                    models.CheckConstraint(condition=models.Q(("name__in", ["issued", "aggregated"])), name="status_list_known"),
                ],
            },
        ),
        migrations.CreateModel(
            name="VerificationCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="日期")),
                (
                    "door",
                    models.CharField(
                        choices=[("PAGE", "网页"), ("REST", "接口"), ("FILE", "文件")], max_length=10, verbose_name="入口"
                    ),
                ),
                ("outcome", models.CharField(max_length=60, verbose_name="结果")),
                ("count", models.BigIntegerField(verbose_name="次数")),
            ],
            options={
                "verbose_name": "核验计数",
                "ordering": ["-day", "door", "outcome"],
                "constraints": [models.UniqueConstraint(fields=("day", "door", "outcome"), name="verification_count_once")],
            },
        ),
    ]
