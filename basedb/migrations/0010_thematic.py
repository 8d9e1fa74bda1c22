from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0009_quality")]
    operations: list[migrations.operations.base.Operation] = []
