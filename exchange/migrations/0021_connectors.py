from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0020_aggregation_plans")]
    operations: list[migrations.operations.base.Operation] = []
