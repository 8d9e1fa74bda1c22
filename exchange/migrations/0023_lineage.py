from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0022_layers")]
    operations: list[migrations.operations.base.Operation] = []
