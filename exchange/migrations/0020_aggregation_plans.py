from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0019_subject_tokens"), ("basedb", "0011_pipeline")]
    operations: list[migrations.operations.base.Operation] = []
