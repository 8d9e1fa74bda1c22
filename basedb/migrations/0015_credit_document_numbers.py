"""Credit records are found by the number of their document (决定文书号) without reading a table of millions."""

from django.contrib.postgres.indexes import HashIndex
from django.db import migrations

KINDS = ("permit", "penalty", "dishonesty", "abnormal", "commitment", "evaluation", "measure")


class Migration(migrations.Migration):
    dependencies = [("basedb", "0014_mutual_rules")]

    operations = [
        migrations.AddIndex(model_name=f"credit{kind}", index=HashIndex(fields=["document_number"], name=f"{kind}_number"))
        for kind in KINDS
    ]
