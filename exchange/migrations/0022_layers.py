from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0021_connectors")]
    operations: list[migrations.operations.base.Operation] = []
