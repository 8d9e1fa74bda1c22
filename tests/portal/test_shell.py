"""The frame of every page: sign-in, lock-out, passwords, messages, the language switch."""

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry, Notification
from tests.factories import City

PASSWORD = "correct-horse-battery"


def with_password(city: City, name: str = "police_operator") -> str:
    user = city.people[name]
    user.set_password(PASSWORD)
    user.save()
    return user.username


def test_anonymous_person_is_sent_to_the_sign_in_page(client: Client, db: None) -> None:
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("portal:login"))


def test_signed_in_person_sees_the_home_page(client: Client, city: City) -> None:
    name = with_password(city)
    answer = client.post(reverse("portal:login"), {"username": name, "password": PASSWORD})
    assert answer.status_code == 302
    page = client.get("/")
    assert page.status_code == 200
    assert "市公安局" in page.content.decode()
    assert AuditEntry.objects.filter(action="account.signed_in", actor_name=name).count() == 1
