from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0009_call_record_op_monitoring")]
    operations = []
