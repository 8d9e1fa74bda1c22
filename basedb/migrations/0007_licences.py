from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0006_credit")]
    operations: list[migrations.operations.base.Operation] = []
