"""A plan that compares all keys has its data source to itself: it ends what it does not find, whoever brought it."""

import django.contrib.postgres.constraints
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0030_reject_limits"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="aggregationplan",
            constraint=models.UniqueConstraint(
                condition=models.Q(("delete_mode", "FULL_KEYS"), ("is_active", True)),
                fields=("source",),
                name="plan_one_compares_all_keys",
            ),
        ),
        migrations.AddConstraint(
            model_name="aggregationplan",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("is_active", True)),
                expressions=[
                    ("source", "="),
                    (
                        models.Case(
                            models.When(delete_mode="FULL_KEYS", then=models.Value(1)),
                            default=models.Value(0),
                            output_field=models.IntegerField(),
                        ),
                        "<>",
                    ),
                ],
                name="plan_comparing_keys_is_alone",
            ),
        ),
    ]
