from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("exchange", "0015_bulk_jobs_and_feeds")]
    operations = []
