from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0012_fusion_decisions")]
    operations: list[object] = []
