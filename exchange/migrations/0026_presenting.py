from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0025_facts")]
    operations: list[object] = []
