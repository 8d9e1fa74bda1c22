"""What op-monitoring needs of a call, added to the record; and the roll-ups of calls by minute, hour and day with their cursor.

Records made before keep nulls here; seals made before name the columns they cover, so they verify as they did.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

import core.models.shared

# Wide columns first: twenty bytes less a record than in the order of their meaning.
COLUMNS = {
    "duration_us": "bigint",
    "answer_bytes": "bigint",
    "request_bytes": "integer",
    "quota_left": "integer",
    "subject_count": "integer",
    "status": "smallint",
    "matter": "varchar(64)",
    "officer": "varchar(40)",
    "case_number": "varchar(64)",
}


GRAINS = [("MINUTE", "分钟"), ("HOUR", "小时"), ("DAY", "日"), ("EVER", "累计")]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0008_call_record_lighter")]
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE exchange_callrecord {', '.join(f'ADD COLUMN {name} {kind}' for name, kind in COLUMNS.items())}",
            f"ALTER TABLE exchange_callrecord {', '.join(f'DROP COLUMN {name}' for name in COLUMNS)}",
        ),
        migrations.CreateModel(
            name="StatisticsCursor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("xid_to", core.models.shared.XidField()),
                ("folded_at", models.DateTimeField(verbose_name="汇总时间")),
            ],
            options={"verbose_name": "统计进度"},
        ),
        migrations.CreateModel(
            name="CallStatistic",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("grain", models.CharField(choices=GRAINS, max_length=6, verbose_name="粒度")),
                ("starts_at", models.DateTimeField(verbose_name="起始时间")),
                ("department_id", models.BigIntegerField()),
                ("consumer_id", models.BigIntegerField()),
                ("provider_id", models.BigIntegerField(null=True)),
                ("resource_id", models.BigIntegerField(null=True)),
                ("grant_id", models.BigIntegerField(null=True)),
                ("mode", models.CharField(max_length=10, verbose_name="方式")),
                ("outcome", models.CharField(max_length=40, verbose_name="结果")),
                ("call_count", models.BigIntegerField(verbose_name="次数")),
                ("row_count", models.BigIntegerField(verbose_name="行数")),
                ("request_bytes", models.BigIntegerField(verbose_name="请求字节数")),
                ("answer_bytes", models.BigIntegerField(verbose_name="应答字节数")),
                ("duration_sum", models.BigIntegerField(verbose_name="耗时合计（微秒）")),
                ("duration_min", models.BigIntegerField(null=True, verbose_name="最短耗时（微秒）")),
                ("duration_max", models.BigIntegerField(null=True, verbose_name="最长耗时（微秒）")),
                ("buckets", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ("hours", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), null=True, size=None)),
            ],
            options={
                "verbose_name": "调用统计",
                "constraints": [
                    models.UniqueConstraint(
                        fields=[
                            *("grain", "starts_at", "department_id", "consumer_id", "provider_id", "resource_id", "grant_id"),
                            *("mode", "outcome"),
                        ],
                        name="call_statistic_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
