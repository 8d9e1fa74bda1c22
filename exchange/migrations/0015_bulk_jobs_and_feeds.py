from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0014_signature_keys")]
    operations = []
