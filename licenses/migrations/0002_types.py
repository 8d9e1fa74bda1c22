from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("licenses", "0001_initial")]
    operations: list[object] = []
