"""Phone and window side by side: entering, the code, the scan on a page, what is asked, yes, reading once, who used it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from basedb.models import LegalEntity, License, Person
from core.audit import Actor
from core.models import AuditEntry
from core.roles import Role
from exchange.calls.refusals import Refusal
from exchange.models import CallRecord, Grant, IdentityApplication
from exchange.presenting import entering
from licenses.models import EnterpriseAgent, HolderBlock, LicenseUse, PresentingCode
from licenses.presenting import holders, sessions
from tests import factories
from tests.factories import City, make_user
from tests.hotpath.partner import make_person
from tests.licenses import presented


@dataclass
class Room:
    """A holder with a phone, a clerk at a window."""

    person: Person
    license: License
    grant: Grant
    phone: Client
    window: Client

    def scan(self, code: str, **values: Any) -> Any:
        form = {"code": code, "matter": presented.MATTER, "grant": str(self.grant.uid)} | values
        return self.window.post("/presenting/", form)


def enter(phone: Client, holder: holders.Holder, now: datetime) -> Any:
    ticket, _until = sessions.let_in(holder=holder, assurance=2, system_id=1, actor=Actor(name="身份应用"), now=now)
    return phone.get(reverse("portal:holder-enter", kwargs={"ticket": ticket}))


def show_code(phone: Client, **values: Any) -> tuple[str, str]:
    """Return text and address of a new code as the page shows it."""
    response = phone.post("/holder/codes/", values, follow=True)
    assert response.status_code == 200
    page = response.content.decode()
    shown = re.search(r'class="holder-code"[^>]*>([A-Z0-9 ]+)<', page)
    assert shown, page[:2000]
    assert "data:image/svg+xml" in page
    return shown[1], response.redirect_chain[-1][0]


@pytest.fixture
def room(city: City, now: datetime) -> Room:
    presented.make_type(city.market)
    person = make_person(city.police, 11, name="王小明")
    own = presented.make_license(city.market, person)
    system = factories.make_system(city.education)
    grant = presented.make_grant(presented.make_resource(city.market), system, city.people["education_operator"])
    phone, window = Client(), Client()
    enter(phone, holders.for_person(citizen_id=person.citizen_id, name=person.name), now)
    window.force_login(city.people["education_operator"], backend="django.contrib.auth.backends.ModelBackend")
    return Room(person, own, grant, phone, window)


def test_phone_and_window_go_through_a_whole_round(room: Room) -> None:
    home = room.phone.get("/holder/").content.decode()
    assert "不动产权证书" in home
    assert "王**" in home
    assert "王小明" not in home
    code, address = show_code(room.phone)
    scanned = room.scan(code.lower())
    assert scanned.status_code == 302, scanned.content.decode()[-3000:]
    waiting = room.window.get(scanned["Location"]).content.decode()
    assert "等待持证人在手机上确认" in waiting
    assert room.license.number not in waiting
    assert room.phone.get(f"{address}state/?seen=CREATED")["HX-Refresh"] == "true"
    asked = room.phone.get(address).content.decode()
    assert "市教育局" in asked
    assert "坐落" in asked
    assert room.license.number in asked, "or two titles of one holder could not be told apart"
    assert "《不动产登记暂行条例》" in asked
    assert "共有人" not in asked
    row = bytes(room.license.row_key).hex()
    items = [f"{row}:{name}" for name in presented.ITEMS]
    assert room.phone.post(f"{address}answer/", {"action": "confirm", "licenses": [row], "items": items}).status_code == 302
    read = room.window.post(f"{scanned['Location']}read/")
    page = read.content.decode()
    assert read.status_code == 200
    assert room.license.number in page
    assert presented.FACE["house_address"] in page
    assert "李四" not in page
    again = room.window.post(f"{scanned['Location']}read/")
    assert again.status_code == 409
    assert room.license.number not in again.content.decode()
    assert room.license.number not in room.window.get(scanned["Location"]).content.decode()
    used = room.phone.get("/holder/uses/").content.decode()
    assert "市教育局" in used
    assert "坐落" in used
    [use], record = LicenseUse.objects.all(), CallRecord.objects.get(grant_id=room.grant.pk)
    assert (use.call_id, record.credential_id, record.officer) == (record.call_id, 0, f"user-{use.actor_id}")
    assert {"presentation.scanned", "presentation.read", "presentation.refused"} <= set(
        AuditEntry.objects.values_list("action", flat=True)
    )


def test_without_a_choice_the_grant_that_reads_most_is_used(room: Room, city: City) -> None:
    fields = [name for name in presented.COLUMNS if name != "face"]
    presented.make_grant(room.grant.resource, room.grant.system, city.people["education_operator"], fields=fields)
    code, _address = show_code(room.phone)
    assert room.scan(code, grant="").status_code == 302
    assert PresentingCode.objects.get(state="SCANNED").grant_id == room.grant.pk


def test_a_second_window_is_refused_and_the_phone_says_so(room: Room, city: City) -> None:
    code, address = show_code(room.phone)
    room.scan(code)
    again = room.scan(code)
    assert again.status_code == 422
    assert "已被扫描过" in again.content.decode()
    assert "再次扫描这个亮证码" in room.phone.get(address).content.decode()
    assert "未通过" in room.phone.get("/holder/").content.decode()


def test_a_no_hands_over_nothing(room: Room) -> None:
    code, address = show_code(room.phone, licenses=[bytes(room.license.row_key).hex()])
    where = room.scan(code)["Location"]
    room.phone.post(f"{address}answer/", {"action": "refuse"})
    assert "没有提供任何信息" in room.phone.get(address).content.decode()
    assert "持证人已拒绝" in room.window.get(where).content.decode()
    assert LicenseUse.objects.count() == 0


def test_wrong_codes_are_said_in_plain_words(room: Room) -> None:
    for code, word in (("SFM1" + "A" * 26, "没有这个亮证码"), ("abc", "格式不正确")):
        response = room.scan(code)
        assert response.status_code == 422
        assert word in response.content.decode()
    assert room.scan("", matter="").status_code == 422


def test_a_code_is_shown_only_in_the_browser_it_was_made_in(room: Room, now: datetime) -> None:
    code, address = show_code(room.phone)
    room.phone.cookies.pop("holder_code")
    assert code not in room.phone.get(address).content.decode()
    stranger = Client()
    assert stranger.get(address).status_code == 403
    other = make_person(License.objects.get().source_department, 13, name="赵六")
    enter(stranger, holders.for_person(citizen_id=other.citizen_id, name=other.name), now)
    assert stranger.get(address).status_code == 404


def test_the_cookie_of_a_holder_is_its_own_and_ends_with_leaving(room: Room) -> None:
    cookie = room.phone.cookies["holder_session"]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 900)
    assert "sessionid" not in room.phone.cookies
    assert room.window.get("/holder/").status_code == 403
    room.phone.post("/holder/leave/")
    room.phone.cookies["holder_session"] = cookie.value
    assert room.phone.get("/holder/").status_code == 403


def test_stopping_on_the_phone_ends_everything_until_a_reviewer_lifts_it(room: Room, city: City, now: datetime) -> None:
    code, _address = show_code(room.phone)
    assert "立即停用" in room.phone.get("/holder/stop/").content.decode()
    assert "亮证已停用" in room.phone.post("/holder/stop/").content.decode()
    assert "停用" in room.scan(code).content.decode()
    block = HolderBlock.objects.get()
    desk = Client()
    desk.force_login(city.people["reviewer"], backend="django.contrib.auth.backends.ModelBackend")
    assert "本人在手机上停用" in desk.get("/presenting/blocks/").content.decode()
    assert desk.post(f"/presenting/blocks/{block.uid}/lift/", {"reason": "已视频核实"}).status_code == 302
    enter(room.phone, holders.for_person(citizen_id=room.person.citizen_id, name=room.person.name), now)
    assert room.phone.get("/holder/").status_code == 200
    stop = {"holder": room.person.citizen_id, "reason": "来电挂失"}
    assert desk.post("/presenting/blocks/", stop).status_code == 302
    assert desk.post("/presenting/blocks/", stop).status_code == 422
    assert room.phone.get("/holder/").status_code == 403
    assert room.person.citizen_id not in desk.get("/presenting/blocks/").content.decode()


def test_the_window_is_told_what_to_do_when_the_holder_stopped_meanwhile(room: Room) -> None:
    code, _address = show_code(room.phone)
    address = room.scan(code)["Location"]
    room.phone.post("/holder/stop/")
    told = room.window.get(address).content.decode()
    assert "停用须由持证人致电热线恢复" in told
    assert "请持证人重新出示亮证码" not in told, "which a holder who stopped cannot"


def test_a_window_that_came_too_late_is_led_to_the_next_scan(room: Room, now: datetime) -> None:
    code, address = show_code(room.phone)
    scanned = room.scan(code)["Location"]
    row = bytes(room.license.row_key).hex()
    items = [f"{row}:{name}" for name in presented.ITEMS]
    room.phone.post(f"{address}answer/", {"action": "confirm", "licenses": [row], "items": items})
    PresentingCode.objects.update(read_until=now)
    late = room.window.post(f"{scanned}read/")
    page = late.content.decode()
    assert late.status_code in (409, 410)
    assert "请持证人重新出示" in page
    assert "presenting.read_late" in page
    assert f'class="btn btn-primary" href="{reverse("portal:presenting-scan")}"' in page
    assert "已过期" in page
    assert room.license.number not in page
    assert "再出示一次" in room.phone.get(address).content.decode()


def test_a_legal_representative_authorizes_an_agent_on_the_phone(city: City, room: Room, now: datetime) -> None:
    entity: LegalEntity = presented.make_entity(city.market, room.person)
    presented.make_license(city.market, entity)
    clerk = make_person(city.police, 15, name="赵六")
    boss = Client()
    who = {"uscc": entity.uscc, "name": entity.name, "today": now.date()}
    enter(boss, holders.for_enterprise(**who, citizen_id=room.person.citizen_id, person_name=room.person.name), now)
    assert "企业证照" in boss.get("/holder/").content.decode()
    form = {"name": clerk.name, "citizen_id": clerk.citizen_id, "until": now.date().isoformat(), "type_codes": [presented.TYPE]}
    assert boss.post("/holder/agents/", form | {"name": "x"}).status_code == 422
    assert boss.post("/holder/agents/", form).status_code == 302
    assert "赵六" in boss.get("/holder/agents/").content.decode()
    agent = Client()
    enter(agent, holders.for_enterprise(**who, citizen_id=clerk.citizen_id, person_name=clerk.name), now)
    code, _address = show_code(agent)
    assert room.scan(code).status_code == 302
    assert agent.get("/holder/agents/").status_code == 403
    boss.post(f"/holder/agents/{EnterpriseAgent.objects.get().uid}/revoke/")
    assert agent.get("/holder/").status_code == 403
    assert PresentingCode.objects.latest("id").state == "BLOCKED"


def test_a_license_page_shows_the_face_and_only_the_own_ones(room: Room) -> None:
    row = bytes(room.license.row_key).hex()
    page = room.phone.get(f"/holder/licenses/{row}/").content.decode()
    assert "坐落" in page
    assert presented.FACE["house_address"] in page
    assert "只出示这一本" in page
    assert room.phone.get(f"/holder/licenses/{'0' * 32}/").status_code == 404


def test_two_people_say_which_application_is_trusted(city: City, room: Room, now: datetime) -> None:
    desk = Client()
    desk.force_login(city.people["reviewer"], backend="django.contrib.auth.backends.ModelBackend")
    form = {"system": str(room.grant.system.uid), "assurance": "2", "basis": "接入协议"}
    assert desk.post("/presenting/applications/", form).status_code == 302
    assert desk.post("/presenting/applications/", form).status_code == 422
    application = IdentityApplication.objects.get()
    page = desk.get("/presenting/applications/").content.decode()
    assert "接入协议" in page
    assert "待数据中心另一人复核" in page
    confirm = f"/presenting/applications/{application.uid}/confirm/"
    assert confirm not in page
    assert desk.post(confirm).status_code == 403
    asked = {"system_id": application.system_id, "given": {"assurance": 1, "holder": {}}, "client_ip": None, "now": now}
    with pytest.raises(Refusal, match="not_identity_application"):
        entering.let_in(**asked)
    second = Client()
    second.force_login(make_user("centre_head", city.centre, Role.HEAD), backend="django.contrib.auth.backends.ModelBackend")
    page = second.get("/presenting/applications/").content.decode()
    assert confirm in page
    assert "/presenting/blocks/" not in page, "which is open to reviewers alone"
    home = second.get("/").content.decode()
    assert "1 件待办" in home
    assert home.count('href="/presenting/applications/"') == 2, "in the menu and among what waits"
    assert "1 件待办" not in desk.get("/").content.decode(), "who proposed cannot confirm"
    assert second.post(confirm).status_code == 302
    assert second.post(confirm).status_code == 409
    with pytest.raises(Refusal, match="invalid_parameter"):
        entering.let_in(**asked)
    assert desk.post(f"/presenting/applications/{application.uid}/end/").status_code == 302
    assert desk.post("/presenting/applications/", form).status_code == 302
    application.refresh_from_db()
    assert (application.ended_at, application.confirmed_at) == (None, None), "proposed again, to be confirmed again"
