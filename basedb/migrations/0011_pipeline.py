from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0010_thematic")]
    operations: list[migrations.operations.base.Operation] = []
