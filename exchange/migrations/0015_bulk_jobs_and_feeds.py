"""Bulk jobs in parts, change feeds, and subscribing as a way of sharing."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from core.append_only import guard

MODES = [("VERIFY", "比对验证"), ("QUERY", "检索查询"), ("BULK", "批量复制"), ("SUBSCRIBE", "变更订阅")]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_sharing_mode_subscribe"), ("exchange", "0014_signature_keys")]
    operations = [
        migrations.CreateModel(
            name="BulkFetch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("call_id", models.UUIDField(verbose_name="调用编号")),
                ("credential_id", models.BigIntegerField()),
                ("first_byte", models.BigIntegerField(verbose_name="起始字节")),
                ("byte_count", models.BigIntegerField(verbose_name="字节数")),
                ("fetched_at", models.DateTimeField(verbose_name="领取时间")),
            ],
            options={
                "verbose_name": "批量作业领取",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="BulkJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=uuid.uuid4, unique=True, verbose_name="作业编号")),
                ("credential_id", models.BigIntegerField()),
                ("opened_call_id", models.UUIDField(verbose_name="调用编号")),
                ("grant_version", models.PositiveIntegerField(verbose_name="授权版本")),
                ("terms_digest", models.BinaryField(max_length=32)),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None, verbose_name="信息项"
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("csv", "CSV 文件"), ("jsonl", "JSON 行文件"), ("xlsx", "Excel 文件")],
                        max_length=5,
                        verbose_name="格式",
                    ),
                ),
                ("rows_a_part", models.PositiveIntegerField(verbose_name="每部分行数")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("QUEUED", "等待生成"),
                            ("RUNNING", "正在生成"),
                            ("READY", "可以领取"),
                            ("STOPPED", "已中止"),
                            ("CANCELLED", "已取消"),
                            ("EXPIRED", "已过期清除"),
                        ],
                        default="QUEUED",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=40, verbose_name="原因")),
                ("expected_count", models.BigIntegerField(verbose_name="预计行数")),
                ("row_count", models.BigIntegerField(default=0, verbose_name="行数")),
                ("part_count", models.PositiveIntegerField(default=0, verbose_name="部分数")),
                ("after_key", models.BinaryField(default=b"", max_length=16)),
                ("opened_at", models.DateTimeField(verbose_name="受理时间")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="完成时间")),
                ("expires_at", models.DateTimeField(verbose_name="清除时间")),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("retry_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "批量作业",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="BulkPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="部分")),
                ("row_count", models.BigIntegerField(verbose_name="行数")),
                ("byte_count", models.BigIntegerField(verbose_name="字节数")),
                ("sha256", models.BinaryField(max_length=32)),
                ("sm3", models.BinaryField(max_length=32)),
                ("mark", models.CharField(max_length=26, unique=True, verbose_name="领取标记")),
                ("as_of", models.DateTimeField(verbose_name="数据时间")),
                ("written_at", models.DateTimeField(verbose_name="生成时间")),
            ],
            options={
                "verbose_name": "批量作业部分",
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="FeedMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
            ],
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="grant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="bulk_jobs", to="exchange.grant", verbose_name="授权"
            ),
        ),
        migrations.AddField(
            model_name="bulkpart",
            name="job",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="exchange.bulkjob"),
        ),
        migrations.AddField(
            model_name="bulkfetch",
            name="part",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="fetches", to="exchange.bulkpart"),
        ),
        migrations.AddField(
            model_name="feedmember",
            name="grant",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="exchange.grant"),
        ),
        migrations.AddIndex(
            model_name="bulkjob",
            index=models.Index(fields=["grant", "-id"], name="bulk_job_grant"),
        ),
        migrations.AddIndex(
            model_name="bulkjob",
            index=models.Index(
                condition=models.Q(("state__in", ("QUEUED", "RUNNING", "READY"))), fields=["expires_at"], name="bulk_job_held"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["QUEUED", "RUNNING", "READY", "STOPPED", "CANCELLED", "EXPIRED"])),
                name="bulk_job_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjob",
            constraint=models.CheckConstraint(
                condition=models.Q(("format__in", ["csv", "jsonl", "xlsx"])), name="bulk_job_format_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkjob",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("QUEUED", "RUNNING"))), fields=("grant",), name="bulk_job_one_unfinished"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkpart",
            constraint=models.UniqueConstraint(fields=("job", "number"), name="bulk_part_once"),
        ),
        migrations.AddConstraint(
            model_name="feedmember",
            constraint=models.UniqueConstraint(fields=("grant", "subject_key"), name="feed_member_once"),
        ),
        migrations.AlterField("accessrequest", "mode", models.CharField(choices=MODES, max_length=10, verbose_name="共享方式")),
        migrations.AlterField("grant", "mode", models.CharField(choices=MODES, max_length=10, verbose_name="共享方式")),
        migrations.AlterField(
            "basketentry", "mode", models.CharField(blank=True, choices=MODES, default="", max_length=10, verbose_name="共享方式")
        ),
        migrations.RunSQL(*guard("exchange_bulkfetch")),
        migrations.RunSQL(*guard("exchange_bulkpart")),
    ]
