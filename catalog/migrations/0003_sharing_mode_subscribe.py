"""Subscribing to changes (变更订阅) becomes a way of sharing."""

import django.contrib.postgres.fields
from django.db import migrations, models

MODES = [("VERIFY", "比对验证"), ("QUERY", "检索查询"), ("BULK", "批量复制"), ("SUBSCRIBE", "变更订阅")]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_changes_of_published_entries")]
    operations = [
        migrations.AlterField(
            model_name="resource",
            name="sharing_modes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=MODES, max_length=10), default=list, size=None, verbose_name="共享方式"
            ),
        )
    ]
