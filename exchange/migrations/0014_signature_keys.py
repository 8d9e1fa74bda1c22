from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0013_care_and_use")]
    operations = []
