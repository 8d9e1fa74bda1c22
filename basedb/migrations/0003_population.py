from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0002_source_records_and_fusion")]
    operations: list[migrations.operations.base.Operation] = []
