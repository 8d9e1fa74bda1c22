"""A plan may limit rejected rows by count, too; what a run held back because of a limit is counted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0029_rejected_rule"),
    ]

    operations = [
        migrations.AddField(
            model_name="aggregationplan",
            name="reject_limit_count",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="拒收上限(行)"),
        ),
        migrations.AddConstraint(
            model_name="aggregationplan",
            constraint=models.CheckConstraint(
                condition=models.Q(("delete_limit_percent__lte", 100), ("reject_limit_percent__lte", 100)),
                name="plan_limits_are_percentages",
            ),
        ),
        migrations.AddField(
            model_name="aggregationrun",
            name="held_back_count",
            field=models.BigIntegerField(db_default=0, default=0, verbose_name="未入库"),
        ),
    ]
