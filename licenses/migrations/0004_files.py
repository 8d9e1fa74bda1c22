from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("licenses", "0003_issuing")]
    operations: list[object] = []
