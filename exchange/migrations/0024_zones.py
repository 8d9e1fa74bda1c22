from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0023_lineage")]
    operations: list[migrations.operations.base.Operation] = []
