"""Life events: the police were told of a death and a subscription of theirs stands."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from basedb.models import LifeEvent, LifeEventKind, LifeEventNotice, LifeEventSubscription
from tests.factories import City
from tests.house.table import Row, only

ROWS: list[Row] = [
    ("GET", "portal:life-event-list", {}, only(200, "operator", "head", "reviewer", "auditor")),
    (
        "POST",
        "portal:life-event-acknowledge",
        {"uid": "life_event"},
        only(302, "operator", "head") | {"reviewer": 404, "auditor": 404},
    ),
    ("GET", "portal:life-event-subscriptions", {}, only(200, "reviewer", "auditor")),
    ("POST", "portal:life-event-subscriptions", {}, only(422, "reviewer") | {"auditor": 422}),
    ("POST", "portal:life-event-unsubscribe", {"uid": "life_event_subscription"}, only(302, "reviewer")),
]


def things(city: City) -> dict[str, str]:
    """A death the police were told of, and their subscription."""
    event = LifeEvent.objects.create(
        kind=LifeEventKind.DEATH, subject_key=bytes(16), occurred_on=date(2025, 3, 1), turn=1,
        source_department=city.education, source_record_id=1,
    )  # fmt: skip
    LifeEventNotice.objects.create(event=event, department=city.police)
    subscription = LifeEventSubscription.objects.create(
        department=city.police, kind=LifeEventKind.DEATH, legal_basis="户口登记条例第八条", created_at=timezone.now()
    )
    return {"life_event": str(event.uid), "life_event_subscription": str(subscription.uid)}
