from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0024_zones")]
    operations: list[migrations.operations.base.Operation] = []
