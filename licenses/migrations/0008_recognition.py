from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("licenses", "0007_missing")]
    operations: list[object] = []
