from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0007_licences")]
    operations: list[migrations.operations.base.Operation] = []
