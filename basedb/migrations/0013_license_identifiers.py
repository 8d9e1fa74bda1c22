"""Licenses of the whole city are found by their identifier, whatever its version."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("basedb", "0012_fusion_decisions")]

    operations = [
        migrations.AddIndex(
            model_name="license",
            index=django.contrib.postgres.indexes.HashIndex(
                models.Func(models.F("identifier"), models.Value(-6), function="LEFT"), name="license_stem"
            ),
        ),
    ]
