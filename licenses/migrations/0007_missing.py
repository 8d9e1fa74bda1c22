from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("licenses", "0006_presenting")]
    operations: list[object] = []
