from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("licenses", "0005_status")]
    operations: list[object] = []
