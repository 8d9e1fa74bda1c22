"""Departments and users: who may keep, appoint and unlock, and what the pages refuse."""

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry, Department, User
from core.roles import Role
from tests.factories import City


@pytest.fixture
def as_(client: Client, city: City):  # type: ignore[no-untyped-def]
    def sign_in(name: str) -> Client:
        client.force_login(city.people[name], backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


def new_user(city: City, **values: object) -> dict[str, object]:
    return {
        "username": "new.person",
        "display_name": "新人",
        "department": city.police.uid,
        "submission": "once-1",
        **values,
    }


def test_system_administrator_creates_a_user_once_and_sees_the_password_once(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    client = as_("system_admin")
    first = client.post(reverse("portal:user-create"), new_user(city))
    assert first.status_code == 200
    user = User.objects.get(username="new.person")
    assert user.must_change_password
    again = client.post(reverse("portal:user-create"), new_user(city))
    assert "已提交过" in again.content.decode()
    assert User.objects.filter(username="new.person").count() == 1
    assert AuditEntry.objects.filter(action="user.created").count() == 1


def test_same_token_for_another_user_is_refused(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    client = as_("system_admin")
    client.post(reverse("portal:user-create"), new_user(city))
    answer = client.post(reverse("portal:user-create"), new_user(city, username="other.person"))
    assert answer.status_code == 409
    assert not User.objects.filter(username="other.person").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("username", "大写 空格"), ("display_name", "x" * 51), ("display_name", "a\x07b"), ("department", "nonsense"), ("extra", "1")],
)
def test_bad_fields_of_a_new_user_are_refused(as_, city: City, field: str, value: str) -> None:  # type: ignore[no-untyped-def]
    answer = as_("system_admin").post(reverse("portal:user-create"), new_user(city, **{field: value}))
    assert answer.status_code == 422
    assert not User.objects.filter(display_name="新人").exists()


def test_only_the_security_administrator_appoints(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    person = city.people["police_operator"]
    address = reverse("portal:user-appoint", args=[person.uid])
    assert as_("system_admin").post(address, {"roles": ["HEAD"]}).status_code == 403
    assert as_("police_head").post(address, {"roles": ["HEAD"]}).status_code == 403
    assert as_("security_admin").post(address, {"roles": ["OPERATOR", "HEAD"], "revision": 1}).status_code == 302
    assert set(person.role_assignments.values_list("role", flat=True)) == {"OPERATOR", "HEAD"}


@pytest.mark.parametrize(
    "roles", [["SYSTEM_ADMINISTRATOR", "OPERATOR"], ["SYSTEM_ADMINISTRATOR", "AUDIT_ADMINISTRATOR"], ["REVIEWER"], ["NO_SUCH"]]
)
def test_roles_that_do_not_go_together_are_refused(as_, city: City, roles: list[str]) -> None:  # type: ignore[no-untyped-def]
    person = city.people["police_operator"]
    answer = as_("security_admin").post(reverse("portal:user-appoint", args=[person.uid]), {"roles": roles, "revision": 1})
    assert answer.status_code == 422
    assert list(person.role_assignments.values_list("role", flat=True)) == [Role.OPERATOR]


def test_nobody_appoints_or_resets_themselves(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    client, own = as_("security_admin"), city.people["security_admin"]
    assert client.post(reverse("portal:user-appoint", args=[own.uid]), {"roles": [], "revision": 1}).status_code == 403
    assert client.post(reverse("portal:user-reset-password", args=[own.uid])).status_code == 403


def test_security_administrator_resets_a_password_and_opens_the_lock(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    person = city.people["police_operator"]
    outside = Client()
    for _ in range(5):
        outside.post(reverse("portal:login"), {"username": person.username, "password": "wrong"})
    answer = as_("security_admin").post(reverse("portal:user-reset-password", args=[person.uid]))
    password = answer.context["password"]
    signed_in = outside.post(reverse("portal:login"), {"username": person.username, "password": password})
    assert signed_in.status_code == 302
    assert password not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


def test_moving_a_user_takes_the_roles_away(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    person = city.people["police_operator"]
    form = {"display_name": "调动", "department": city.market.uid, "is_active": "on", "revision": person.revision}
    assert as_("system_admin").post(reverse("portal:user-change", args=[person.uid]), form).status_code == 302
    assert not person.role_assignments.exists()


def test_stale_edit_says_what_changed(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    person = city.people["police_operator"]
    form = {"display_name": "甲", "department": city.police.uid, "is_active": "on", "revision": person.revision}
    client = as_("system_admin")
    assert client.post(reverse("portal:user-change", args=[person.uid]), form).status_code == 302
    stale = client.post(reverse("portal:user-change", args=[person.uid]), form | {"display_name": "乙"})
    assert stale.status_code == 409
    assert "甲" in stale.content.decode()
    person.refresh_from_db()
    assert person.display_name == "甲"


def test_departments_are_set_up_and_renamed(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    client = as_("system_admin")
    form = {"code": "11320100MB0000017X", "name": "市体育局", "short_name": "体育局", "region": "3201", "submission": "d1"}
    assert client.post(reverse("portal:department-create"), form).status_code == 422
    from stdnum.cn import uscc

    good = form | {"code": "11320100MB0000017" + uscc.calc_check_digit("11320100MB0000017")}
    assert client.post(reverse("portal:department-create"), good).status_code == 302
    department = Department.objects.get(name="市体育局")
    edit = {"name": "市体育管理局", "short_name": "体育局", "region": "3201", "revision": department.revision}
    assert client.post(reverse("portal:department-change", args=[department.uid]), edit).status_code == 302
    stale = client.post(reverse("portal:department-change", args=[department.uid]), edit | {"name": "别名"})
    assert stale.status_code == 409


def test_department_with_open_accounts_is_not_dissolved(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    form = {"successor": city.market.uid, "on": "2026-01-01"}
    answer = as_("system_admin").post(reverse("portal:department-dissolve", args=[city.police.uid]), form)
    assert answer.status_code == 409
    city.police.refresh_from_db()
    assert city.police.valid_to is None


def test_department_without_accounts_is_dissolved_with_a_successor(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    city.police.users.update(is_active=False)
    form = {"successor": city.market.uid, "on": "2026-01-01"}
    answer = as_("system_admin").post(reverse("portal:department-dissolve", args=[city.police.uid]), form)
    assert answer.status_code == 302
    city.police.refresh_from_db()
    assert city.police.successor == city.market


@pytest.mark.parametrize("name", ["system_admin", "security_admin", "auditor"])
def test_administrators_see_the_lists(as_, city: City, name: str) -> None:  # type: ignore[no-untyped-def]
    client = as_(name)
    assert "市公安局" in client.get(reverse("portal:department-list")).content.decode()
    assert "police_operator" in client.get(reverse("portal:user-list"), {"role": "OPERATOR"}).content.decode()
    assert client.get(reverse("portal:user-detail", args=[city.people["police_head"].uid])).status_code == 200


def test_a_stale_appointment_and_a_stale_change_say_what_is_different_and_by_whom(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    person = city.people["police_operator"]
    appoint = reverse("portal:user-appoint", args=[person.uid])
    client = as_("security_admin")
    assert client.post(appoint, {"roles": ["HEAD"], "revision": 1}).status_code == 302
    answer = client.post(appoint, {"roles": ["OPERATOR"], "revision": 1})
    assert answer.status_code == 409
    assert "您本人修改过这个用户" in answer.content.decode()
    assert answer.context["form"].changes == [{"title": "角色", "now": "部门负责人", "typed": "部门经办人"}]
    assert client.post(appoint, {"roles": ["OPERATOR"], "revision": 2}).status_code == 302
    body = {"display_name": "改名", "department": str(person.department.uid), "is_active": "on", "revision": "1"}
    page = as_("system_admin").post(reverse("portal:user-change", args=[person.uid]), body)
    assert page.status_code == 409
    assert "security_admin修改过这个用户" in page.content.decode()
    assert page.context["form"].changes == [{"title": "姓名", "now": person.display_name, "typed": "改名"}]
    saved = client.post(reverse("portal:user-change", args=[person.uid]), body | {"revision": "3"}, follow=True)
    assert "用户信息已修改。" in saved.content.decode()
    assert "重新任命" not in saved.content.decode()


def test_a_form_sent_again_with_other_contents_comes_back_with_a_fresh_token(as_, city: City) -> None:  # type: ignore[no-untyped-def]
    client = as_("system_admin")
    client.post(reverse("portal:user-create"), new_user(city))
    answer = client.post(reverse("portal:user-create"), new_user(city, username="other.person"))
    assert "已用这张表单提交过一次" in answer.content.decode()
    token = answer.context["form"].data["submission"]
    assert token != "once-1"
    assert client.post(reverse("portal:user-create"), new_user(city, username="other.person", submission=token)).status_code == 200
    assert User.objects.filter(username="other.person").exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"display_name": "a\x00b"}, "不能含有控制字符。"),
        ({"display_name": "\u200b"}, "此项必填。"),
        ({"display_name": "字" * 51}, "最多 50 个字，现有 51 个字。"),
        ({"department": "nonsense"}, "所选内容不在可选范围内"),
        ({"department": "\x00"}, "所选内容不在可选范围内"),
        ({"username": "大写"}, "用户名须以小写字母开头"),
        ({"submission": ""}, "页面上的提交标识缺失"),
        ({"submission": "x" * 65}, "页面上的提交标识缺失"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(as_, city: City, change: dict[str, object], says: str) -> None:  # type: ignore[no-untyped-def]
    answer = as_("system_admin").post(reverse("portal:user-create"), new_user(city, **change))
    assert answer.status_code == 422
    assert says in answer.content.decode()
