from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0003_population")]
    operations: list[migrations.operations.base.Operation] = []
