"""Entities that were merged into another are found by the one that stays, among all links of a city."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("basedb", "0015_credit_document_numbers")]

    operations = [
        migrations.AddIndex(
            model_name="crosswalk",
            index=models.Index(
                fields=["entity_key"],
                condition=models.Q(("linked__upper_inf", True), ("rule_version", "entity-merge")),
                name="crosswalk_merged",
            ),
        ),
    ]
