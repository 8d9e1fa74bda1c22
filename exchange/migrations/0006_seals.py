"""Seals and archives of evidence, append-only; and the index sealing reads the call record by."""

from django.db import migrations, models

import core.models.shared
from core.append_only import guard

CHAINS = [("CALLS", "调用记录"), ("AUDIT", "审计记录")]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0005_rejected_row_by_source"), ("core", "0005_audit_xid")]
    operations = [
        migrations.CreateModel(
            name="Archive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", models.CharField(choices=CHAINS, max_length=10, verbose_name="链")),
                ("number", models.BigIntegerField(verbose_name="序号")),
                ("name", models.CharField(max_length=120, unique=True, verbose_name="文件名")),
                ("first_seal", models.BigIntegerField(verbose_name="起始批次")),
                ("last_seal", models.BigIntegerField(verbose_name="截止批次")),
                ("last_digest", models.CharField(max_length=128)),
                ("file_digest", models.CharField(max_length=64)),
                ("size", models.BigIntegerField(verbose_name="大小")),
                ("archived_at", models.DateTimeField(verbose_name="归档时间")),
            ],
            options={
                "verbose_name": "存证归档",
                "constraints": [models.UniqueConstraint(fields=("chain", "number"), name="archive_number_once")],
            },
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", models.CharField(choices=CHAINS, max_length=10, verbose_name="链")),
                ("number", models.BigIntegerField(verbose_name="序号")),
                ("xid_from", core.models.shared.XidField()),
                ("xid_to", core.models.shared.XidField()),
                ("record_count", models.IntegerField(verbose_name="记录数")),
                ("first_at", models.DateTimeField(verbose_name="最早记录时间")),
                ("last_at", models.DateTimeField(verbose_name="最晚记录时间")),
                ("sealed_at", models.DateTimeField(verbose_name="封存时间")),
                ("statement", models.TextField(verbose_name="封存声明")),
                ("signature", models.BinaryField()),
                ("record_digests", models.BinaryField()),
            ],
            options={
                "verbose_name": "封存批次",
                "indexes": [models.Index(fields=["chain", "sealed_at"], name="seal_time")],
                "constraints": [models.UniqueConstraint(fields=("chain", "number"), name="seal_number_once")],
            },
        ),
        migrations.RunSQL(*guard("exchange_seal")),
        migrations.RunSQL(*guard("exchange_archive")),
        # Digests do not compress; trying costs time at every seal.
        migrations.RunSQL("ALTER TABLE exchange_seal ALTER record_digests SET STORAGE EXTERNAL", migrations.RunSQL.noop),
        migrations.RunSQL("CREATE INDEX call_record_xid ON exchange_callrecord (xid)", "DROP INDEX call_record_xid"),
    ]
