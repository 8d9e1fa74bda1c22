from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0005_geography")]
    operations: list[migrations.operations.base.Operation] = []
