"""Map services (地图服务) become a way of sharing."""

import django.contrib.postgres.fields
from django.db import migrations, models

MODES = [("VERIFY", "比对验证"), ("QUERY", "检索查询"), ("BULK", "批量复制"), ("SUBSCRIBE", "变更订阅"), ("FEATURES", "地图服务")]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0004_concerns_minors")]
    operations = [
        migrations.AlterField(
            model_name="resource",
            name="sharing_modes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=MODES, max_length=10), default=list, size=None, verbose_name="共享方式"
            ),
        )
    ]
