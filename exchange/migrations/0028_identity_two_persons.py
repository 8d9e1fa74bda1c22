"""An identity application is trusted once a second person confirmed it; those that were trusted by one wait for it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0027_matters"),
    ]

    operations = [
        migrations.AddField(
            model_name="identityapplication",
            name="confirmed_at",
            field=models.DateTimeField(null=True, verbose_name="复核时间"),
        ),
        migrations.AddField(
            model_name="identityapplication",
            name="confirmed_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="复核人",
            ),
        ),
        migrations.AddConstraint(
            model_name="identityapplication",
            constraint=models.CheckConstraint(
                condition=Q(confirmed_by=None) | ~Q(confirmed_by=F("registered_by")), name="identity_two_persons"
            ),
        ),
        migrations.AddConstraint(
            model_name="identityapplication",
            constraint=models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None) | Q(confirmed_by__isnull=False, confirmed_at__isnull=False),
                name="identity_confirmed_whole",
            ),
        ),
    ]
