"""What a department publishes, another one finds by a word of its title, reads, and sees change only after review."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from catalog.models import Resource
from core.models import Notification
from tests.factories import City
from tests.portal.test_catalog import ITEM, entry


class Desk:
    """One person at the portal."""

    def __init__(self, city: City, name: str) -> None:
        self.client = Client()
        self.client.force_login(city.people[name], backend="django.contrib.auth.backends.ModelBackend")

    def read(self, name: str, *args: Any, **query: str) -> str:
        answer = self.client.get(reverse(f"portal:{name}", args=args), query)
        assert answer.status_code == 200, answer.status_code
        return str(answer.content.decode())

    def send(self, name: str, *args: Any, **data: Any) -> None:
        answer = self.client.post(reverse(f"portal:{name}", args=args), data)
        assert answer.status_code == 302, answer.content.decode()


def test_what_a_department_publishes_others_find_and_a_change_shows_only_after_review(city: City) -> None:
    operator, head = Desk(city, "education_operator"), Desk(city, "education_head")
    reviewer, reader = Desk(city, "reviewer"), Desk(city, "police_operator")

    operator.send("resource-new", **entry(city, ITEM, title="义务教育阶段学籍信息", action="submit"))
    resource = Resource.objects.get()
    assert resource.title not in reader.read("resource-list", q="学籍")
    assert resource.title in head.read("resource-inbox")
    head.send("resource-endorse", resource.uid, revision=2)
    assert resource.title in reviewer.read("resource-inbox")
    reviewer.send("resource-return", resource.uid, revision=3, reason="摘要请写明学段")
    assert "摘要请写明学段" in operator.read("resource-inbox")
    operator.send("resource-submit", resource.uid, revision=4)
    head.send("resource-endorse", resource.uid, revision=5)
    reviewer.send("resource-publish", resource.uid, revision=6)

    assert "<mark>学籍</mark>" in reader.read("resource-list", q="学籍")
    assert "301001/000001" in reader.read("resource-detail", resource.uid)

    resource.refresh_from_db()
    operator.send("resource-change", resource.uid, revision=resource.revision)
    change = Resource.objects.get(change_of=resource)
    form = entry(city, ITEM, title="义务教育阶段学籍信息", summary="小学和初中在校学生的学籍。", revision="1", action="submit")
    del form["submission"]
    operator.send("resource-edit", change.uid, **form)
    assert "小学和初中" not in reader.read("resource-detail", resource.uid)
    head.send("resource-endorse", change.uid, revision=3)
    reviewer.send("resource-publish", change.uid, revision=4)
    page = reader.read("resource-detail", resource.uid)
    assert "小学和初中" in page
    assert "301001/000001" in page
    assert "第 2 版" in page

    resource.refresh_from_db()
    head.send("resource-withdraw", resource.uid, revision=resource.revision, reason="职责划转")
    assert resource.title not in reader.read("resource-list", q="学籍")
    assert Notification.objects.filter(user=city.people["education_operator"], body="职责划转").exists()
