"""The limit of the answer for requests that lay on a desk before answers had one; on whose behalf an extension was asked for."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.calendar import Calendar

ANSWERING = ["ENDORSED", "CHECKED", "CLEARED", "CONFIRMING"]


def set_answers(apps, schema_editor):
    """Count the answer of Order 809 (art. 21) from the receipt: when the requester's head passed the request on."""
    limits = apps.get_model("exchange", "SlaPolicy").objects.filter(stage="ANSWER", region_code="").order_by("valid_from")
    days = dict(limits.values_list("share_attribute", "days"))
    calendar = Calendar(dict(apps.get_model("core", "Holiday").objects.values_list("on", "is_working")))
    steps = apps.get_model("exchange", "AccessRequestStep").objects.filter(command="ENDORSE").order_by("at")
    for row in apps.get_model("exchange", "AccessRequest").objects.filter(state__in=ANSWERING, answer_due_at=None):
        received = steps.filter(access_request=row).first()
        share_attribute = row.resource.share_attribute
        if received is not None and share_attribute in days:
            row.answer_due_at = calendar.deadline(received.at, days[share_attribute])
            row.save(update_fields=["answer_due_at"])


class Migration(migrations.Migration):
    dependencies = [("exchange", "0017_tracing_and_retention"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.AddField(
            "clockextension",
            "asked_for",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.RunPython(set_answers, migrations.RunPython.noop),
    ]
