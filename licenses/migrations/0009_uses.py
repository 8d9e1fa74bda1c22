from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("licenses", "0008_recognition")]
    operations: list[object] = []
