"""The frame of every page: sign-in, lock-out, passwords, messages, the language switch."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from basedb.models import QualityTask
from core.models import AuditEntry, Notification
from portal.shell import menu
from tests.basedb.credit_facts import make_fact
from tests.factories import City, make_request, make_resource, make_system

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


def sign_in(client: Client, city: City, name: str) -> Client:
    client.force_login(city.people[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("name", ["police_operator", "police_head", "reviewer", "auditor", "system_admin", "security_admin"])
def test_everybody_has_a_home_page(client: Client, city: City, name: str) -> None:
    assert sign_in(client, city, name).get("/").status_code == 200


def test_five_wrong_passwords_lock_the_name_and_unknown_names_look_the_same(client: Client, city: City) -> None:
    known = with_password(city)
    texts = {}
    for name in (known, "nobody_of_that_name"):
        answers = [client.post(reverse("portal:login"), {"username": name, "password": "wrong"}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 429, 429]
        texts[name] = [answer.content.decode().replace(name, "") for answer in answers]
    assert [len(text) for text in texts[known]] == [len(text) for text in texts["nobody_of_that_name"]]
    assert "已锁定" in texts[known][-1]
    right = client.post(reverse("portal:login"), {"username": known, "password": PASSWORD})
    assert right.status_code == 429
    assert "_auth_user_id" not in client.session
    assert list(AuditEntry.objects.filter(action="account.locked_out").values_list("object_title", flat=True)) == [known]


def test_sign_in_goes_nowhere_else(client: Client, city: City) -> None:
    name = with_password(city)
    form = {"username": name, "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post(reverse("portal:login"), form)["Location"] == "/"


def test_temporary_password_leads_to_the_password_page_first(client: Client, city: City) -> None:
    name = with_password(city)
    city.people[name].must_change_password = True
    city.people[name].save()
    client.post(reverse("portal:login"), {"username": name, "password": PASSWORD})
    assert client.get("/")["Location"] == reverse("portal:password-change")
    weak = {"old_password": PASSWORD, "new_password": "12345678", "repeated": "12345678"}
    assert client.post(reverse("portal:password-change"), weak).status_code == 422
    good = {"old_password": PASSWORD, "new_password": "another-long-one-9", "repeated": "another-long-one-9"}
    assert client.post(reverse("portal:password-change"), good).status_code == 302
    assert client.get("/").status_code == 200
    assert AuditEntry.objects.filter(action="password.changed").count() == 1


def test_signing_out_needs_a_post(client: Client, city: City) -> None:
    sign_in(client, city, "police_operator")
    assert client.get(reverse("portal:logout")).status_code == 405
    assert client.post(reverse("portal:logout")).status_code == 302
    assert client.get("/").status_code == 302


def test_language_switches_to_english_and_back(client: Client, city: City) -> None:
    sign_in(client, city, "police_operator")
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    assert '<html lang="en">' in client.get("/").content.decode()
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/"})
    assert '<html lang="zh-hans">' in client.get("/").content.decode()


def test_messages_are_opened_by_their_owner_only(client: Client, city: City, now: object) -> None:
    mine = Notification.objects.create(user=city.people["police_operator"], title="轮到您", path="/account/", created_at=now)
    other = Notification.objects.create(user=city.people["market_operator"], title="不是您的", path="/", created_at=now)
    sign_in(client, city, "police_operator")
    page = client.get(reverse("portal:notification-list")).content.decode()
    assert "轮到您" in page
    assert "不是您的" not in page
    assert client.post(reverse("portal:notification-open", args=[other.uid])).status_code == 404
    assert client.post(reverse("portal:notification-open", args=[mine.uid]))["Location"] == "/account/"
    mine.refresh_from_db()
    other.refresh_from_db()
    assert mine.read_at is not None
    assert other.read_at is None


def test_unknown_page_answers_in_our_own_words(client: Client, city: City) -> None:
    answer = sign_in(client, city, "police_operator").get("/no-such-page/")
    assert answer.status_code == 404
    assert "没有这个页面" in answer.content.decode()


def test_system_administrator_is_warned_of_years_without_holidays(client: Client, city: City) -> None:
    assert "节假日安排尚未载入" in sign_in(client, city, "system_admin").get("/").content.decode()
    assert "节假日安排尚未载入" not in sign_in(client, city, "police_operator").get("/").content.decode()


def test_home_page_shows_what_waits_and_what_is_late(client: Client, city: City, now: datetime) -> None:
    resource = make_resource(city.police, title="户籍人口")
    system = make_system(city.education)
    late = {"state": "ENDORSED", "desk": "PROVIDER_OPERATOR", "route": "PROVIDER_FIRST", "due_at": now - timedelta(days=2)}
    make_request(resource, system, city.people["education_operator"], **late)
    make_resource(city.police, published=False, title="居住证", due_at=now - timedelta(days=1))
    page = sign_in(client, city, "police_operator").get("/")
    assert {task.title for task in page.context["tasks"]} == {"户籍人口", "居住证"}
    assert "居住证" in [task.title for task in page.context["overdue"]]
    assert page.context["tasks"][0].title == "户籍人口"
    assert "这段时间没有调用" in page.content.decode()
    assert sign_in(client, city, "market_operator").get("/").context["tasks"] == []


def test_home_page_is_honest_about_what_is_not_connected(client: Client, city: City) -> None:
    cards = sign_in(client, city, "police_operator").get("/").context["cards"]
    assert [(card.row_count, card.is_connected) for card in cards] == [(0, False)] * 5


def test_home_page_asks_a_bounded_number_of_queries(
    client: Client, city: City, django_assert_max_num_queries: Callable[[int], AbstractContextManager[None]]
) -> None:
    sign_in(client, city, "police_operator")
    with django_assert_max_num_queries(30):
        client.get("/")


def test_the_home_page_names_faults_of_the_departments_own_data_and_nobody_elses(client: Client, city: City) -> None:
    now = timezone.now()
    QualityTask.objects.create(
        dataset="population.person",
        rule_code="name.required",
        title="姓名不为空",
        dimension="COMPLETENESS",
        department=city.police,
        opened_at=now,
        due_at=now + timedelta(days=3),
        open_count=2,
    )
    sign_in(client, city, "police_operator")
    assert "质量整改单" in client.get("/").content.decode()
    sign_in(client, city, "education_operator")
    assert "质量整改单" not in client.get("/").content.decode()


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("license-draft-edit", "license-desk"),
        ("license-next", "license-desk"),
        ("license-detail", "license-list"),
        ("presenting-detail", "presenting-scan"),
    ],
)
def test_the_menu_marks_the_desk_a_page_belongs_to(city: City, page: str, address: str) -> None:
    groups = menu(city.actor("market_operator"), f"portal:{page}")
    marked = [line["url"] for group in groups for line in group["entries"] if line["current"]]
    assert marked == [reverse(f"portal:{address}")]


def test_the_browsers_language_does_not_count(client: Client, db: None) -> None:
    page = client.get(reverse("portal:login"), headers={"Accept-Language": "en"})
    assert '<html lang="zh-hans">' in page.content.decode()
    assert page["Content-Language"] == "zh-hans"


def test_figures_are_grouped_by_thousands_in_chinese(db: None) -> None:
    assert Template("{% load humanize %}{{ n|intcomma }}").render(Context({"n": 1234567})) == "1,234,567"


def test_auditor_is_led_to_no_page_that_is_closed_to_auditors(city: City, client: Client) -> None:
    client.force_login(city.people["auditor"], backend="django.contrib.auth.backends.ModelBackend")
    make_resource(city.police)
    penalty = make_fact("credit.penalty", city.market, decided_on="20260105")
    pages = ("/", "/catalog/", "/zones/", "/quality/", "/credit/", f"/credit/records/penalty/{bytes(penalty.row_key).hex()}/")
    links = {link for page in pages for link in re.findall(r'href="(/[^"#?]*)', client.get(page).content.decode())}
    assert [link for link in sorted(links) if "/static/" not in link and client.get(link).status_code == 403] == []
