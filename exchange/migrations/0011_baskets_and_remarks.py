from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0010_clocks_returns_and_desks")]
    operations = []
