from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0026_presenting")]
    operations: list[object] = []
