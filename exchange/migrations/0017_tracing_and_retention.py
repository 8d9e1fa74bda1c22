from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0016_sources_and_upstream")]
    operations = []
