from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0008_matching")]
    operations: list[migrations.operations.base.Operation] = []
