"""The frame: sign-in, own account, messages, audit trail, the description of the REST interface."""

from django.utils import timezone

from core.models import Notification
from tests.factories import City
from tests.house.table import KINDS, Row, everyone, only, signed_in

READERS = ("operator", "head", "reviewer", "auditor")

ROWS: list[Row] = [
    ("GET", "portal:home", {}, signed_in(200)),
    ("GET", "portal:login", {}, {"anonymous": 200} | dict.fromkeys(KINDS, 302)),
    ("POST", "portal:login", {}, {"anonymous": 422} | dict.fromkeys(KINDS, 302)),
    ("POST", "portal:logout", {}, signed_in(302)),
    ("GET", "portal:account", {}, signed_in(200)),
    ("GET", "portal:password-change", {}, signed_in(200)),
    ("POST", "portal:password-change", {}, signed_in(422)),
    ("GET", "portal:notification-list", {}, signed_in(200)),
    ("POST", "portal:notification-read-all", {}, signed_in(302)),
    ("POST", "portal:notification-open", {"uid": "message"}, only(302, "operator", others=404)),
    ("GET", "portal:audit-list", {}, only(200, *READERS)),
    ("GET", "portal:audit-export", {}, only(200, *READERS)),
    ("POST", "set_language", {}, everyone(302)),
    ("GET", "openapi:health", {}, everyone(200)),
    ("GET", "openapi:schema", {}, everyone(200)),
    ("GET", "openapi:docs", {}, everyone(200)),
]


def things(city: City) -> dict[str, str]:
    message = Notification.objects.create(user=city.people["police_operator"], title="轮到您", created_at=timezone.now())
    return {"message": str(message.uid)}
