from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("licenses", "0004_files")]
    operations: list[object] = []
