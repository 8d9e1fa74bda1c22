from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("licenses", "0002_types")]
    operations: list[object] = []
