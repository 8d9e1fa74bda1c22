"""Rejected rows of a plan are found by the rule they broke."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0028_identity_two_persons"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="rejectedrow",
            index=models.Index(fields=["plan", "rule", "id"], name="rejected_rule"),
        ),
    ]
