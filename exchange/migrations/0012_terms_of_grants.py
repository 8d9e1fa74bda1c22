from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0011_baskets_and_remarks")]
    operations = []
