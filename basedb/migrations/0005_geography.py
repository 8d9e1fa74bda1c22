from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0004_legal_entity")]
    operations: list[migrations.operations.base.Operation] = []
