from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0008_call_record_lighter")]
    operations = []
