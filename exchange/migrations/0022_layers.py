"""Map services (地图服务) become a way of sharing: features and tiles of a layer under a grant."""

from django.db import migrations, models

MODES = [("VERIFY", "比对验证"), ("QUERY", "检索查询"), ("BULK", "批量复制"), ("SUBSCRIBE", "变更订阅"), ("FEATURES", "地图服务")]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0021_connectors"), ("catalog", "0005_map_services")]
    operations: list[migrations.operations.base.Operation] = [
        migrations.AlterField("accessrequest", "mode", models.CharField(choices=MODES, max_length=10, verbose_name="共享方式")),
        migrations.AlterField("grant", "mode", models.CharField(choices=MODES, max_length=10, verbose_name="共享方式")),
        migrations.AlterField(
            "basketentry", "mode", models.CharField(blank=True, choices=MODES, default="", max_length=10, verbose_name="共享方式")
        ),
    ]
