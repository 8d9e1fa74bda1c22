"""The demo's people at work: entries published, requests at every desk, grants with keys, all through the platform's own rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from catalog import publishing
from catalog.models import Resource
from core.accounts import actor_of
from core.audit import Actor
from core.calendar import SHANGHAI
from core.models import Department, User
from core.roles import Role
from demo import entries, facts_called, maps
from exchange import systems
from exchange.models import AccessRequest, ConsumerSystem
from exchange.requests import access_requests
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command


@dataclass(frozen=True)
class Ask:
    """What one department asks for, in whose name and why."""

    resource: Resource
    system: ConsumerSystem
    people: str
    mode: str
    fields: tuple[str, ...]
    why: dict[str, Any]


SCHOOL_SYSTEM = "义务教育入学报名系统"
BENEFIT_SYSTEM = "社会保险待遇资格核查系统"
MARKET_SYSTEM = "企业登记全程网办系统"
PLANNING_SYSTEM = "国土空间规划一张图系统"
WINDOW_SYSTEM = "不动产登记窗口系统"
IDENTITY_SYSTEM = "省政务服务App(演示身份应用)"
OWNERS = {
    SCHOOL_SYSTEM: "edu_op",
    BENEFIT_SYSTEM: "hr_op",
    MARKET_SYSTEM: "market_op",
    PLANNING_SYSTEM: "land_op",
    WINDOW_SYSTEM: "land_op",
    IDENTITY_SYSTEM: "reviewer",
}
CALLING = (SCHOOL_SYSTEM, BENEFIT_SYSTEM, IDENTITY_SYSTEM)

ENROLMENT_ITEMS = ("citizen_id", "name", "sex", "birth_on", "region_code", "address")
ENROLMENT = {
    "purpose": "义务教育入学资格核验",
    "legal_basis": "《中华人民共和国义务教育法》第十二条",
    "scenario": "小学、初中入学网上报名时核对学生及监护人户籍。",
}
SPONSOR = {
    "purpose": "民办学校举办者资格核查",
    "legal_basis": "《中华人民共和国民办教育促进法》第十条",
    "scenario": "审批民办学校时核对举办单位登记信息。",
}
BENEFITS = {
    "purpose": "社会保险待遇领取资格核查",
    "legal_basis": "《社会保险经办条例》第三十三条",
    "scenario": "每月核对待遇领取人员的生存和婚姻状况。",
}
REGISTRATION = {
    "purpose": "企业登记身份核验",
    "legal_basis": "《中华人民共和国市场主体登记管理条例》第十五条",
    "scenario": "网上办理设立登记时核对股东和法定代表人身份。",
}


def actor(username: str) -> Actor:
    """Return the actor of a demo account."""
    return actor_of(User.objects.select_related("department").get(username=username))


def publish_catalogue(departments: dict[str, Department], now: datetime) -> int:
    """Draft, submit, endorse and publish the demo's entries; return how many."""
    listings = [*entries.mounted(), *entries.listed(), *maps.layers(), *facts_called.listings()]
    for listing in listings:
        publish(listing, departments, now)
    return len(listings)


def publish(listing: entries.Listing, departments: dict[str, Department], now: datetime) -> Resource:
    """Carry one entry from its draft to its publication."""
    department = departments[listing.department]
    operator = _in(department, Role.OPERATOR)
    resource = publishing.draft(entry=listing.entry, actor=operator, now=now, dataset_code=listing.dataset)
    resource = publishing.submit(uid=resource.uid, revision=resource.revision, actor=operator, now=now)
    resource = publishing.endorse(uid=resource.uid, revision=resource.revision, actor=_in(department, Role.HEAD), now=now)
    return publishing.publish(uid=resource.uid, revision=resource.revision, actor=actor("reviewer"), now=now)


def draft_unfinished(now: datetime) -> None:
    """Leave one entry at the head's desk and one at the data centre's, so that nobody's to-do list starts empty."""
    base = entries.listed()[0].entry
    operator, head = actor("edu_op"), actor("edu_head")
    for title, is_endorsed in (("学前教育机构名录", False), ("校车使用许可信息", True)):
        draft = publishing.draft(entry=replace(base, title=title, keywords="学校 教育"), actor=operator, now=now)
        draft = publishing.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)
        if is_endorsed:
            publishing.endorse(uid=draft.uid, revision=draft.revision, actor=head, now=now)


def register_systems(now: datetime) -> dict[str, ConsumerSystem]:
    """Register one system for each requesting department."""
    return {name: systems.register(name=name, actor=actor(owner), now=now) for name, owner in OWNERS.items()}


def ask_and_decide(owned: dict[str, ConsumerSystem], now: datetime) -> None:
    """Write requests of every kind: granted ones, ones waiting at each desk, one overdue, one refused."""
    population = Resource.objects.get(title=entries.POPULATION)
    marriage = Resource.objects.get(title=entries.MARRIAGE)
    enterprises = Resource.objects.get(title=entries.ENTERPRISES)
    school, benefit, market = owned[SCHOOL_SYSTEM], owned[BENEFIT_SYSTEM], owned[MARKET_SYSTEM]
    addresses, planning = Resource.objects.get(title=maps.ADDRESSES), owned[PLANNING_SYSTEM]
    week, month = now - timedelta(days=7), now - timedelta(days=30)

    _granted(Ask(population, school, "edu", "QUERY", ENROLMENT_ITEMS, ENROLMENT), week)
    _granted(Ask(population, school, "edu", "VERIFY", ("name", "sex", "birth_on", "person_status"), ENROLMENT), week)
    _granted(Ask(enterprises, school, "edu", "BULK", ("uscc", "name", "registration_state", "established_on"), SPONSOR), week)
    _granted(Ask(addresses, planning, "land", "FEATURES", maps.ADDRESS_ITEMS, maps.PLANNING), week)
    for title, items in ((facts_called.PENALTIES, facts_called.PENALTY_ITEMS), (facts_called.LICENSES, facts_called.LICENSE_ITEMS)):
        _granted(Ask(Resource.objects.get(title=title), school, "edu", "QUERY", items, facts_called.SUPERVISION), week)

    waiting = submitted(Ask(marriage, benefit, "hr", "QUERY", ("name", "marital_status"), BENEFITS), month)
    carry(waiting, Command.ENDORSE, "hr_head", month)
    waiting = submitted(Ask(marriage, benefit, "hr", "VERIFY", ("marital_status",), BENEFITS), week)
    carry(waiting, Command.ENDORSE, "hr_head", week)
    carry(waiting, Command.CHECK, "police_op", week + timedelta(days=1))
    submitted(Ask(population, benefit, "hr", "VERIFY", ("name", "person_status"), BENEFITS), now)

    waiting = submitted(Ask(population, market, "market", "VERIFY", ("name", "sex"), REGISTRATION), now)
    carry(waiting, Command.ENDORSE, "market_head", now)
    refused = submitted(Ask(population, market, "market", "BULK", ("citizen_id", "name", "phone"), REGISTRATION), week)
    carry(refused, Command.ENDORSE, "market_head", week)
    carry(refused, Command.REFUSE, "reviewer", week, "批量复制超出登记核验的必要范围，请改用比对验证。")


def renew_credentials(known: dict[str, dict[str, str]], now: datetime) -> list[dict[str, Any]]:
    """Return each granted system with a key whose secret is known: the one of an earlier start, else a new one."""
    result = []
    for system in ConsumerSystem.objects.filter(name__in=CALLING).order_by("id"):
        operator = actor(OWNERS[system.name])
        live = {credential.key: credential for credential in system.credentials.filter(state="ACTIVE", valid_to__gt=now)}
        entry = known.get(system.name)
        if entry is None or entry["key"] not in live:
            for credential in live.values():
                systems.revoke_credential(credential_uid=credential.uid, actor=operator, now=now)
            issued = systems.issue_credential(system_uid=system.uid, algorithm="HMAC-SM3", actor=operator, now=now)
            entry = {"key": issued.credential.key, "secret": issued.secret, "algorithm": "HMAC-SM3"}
        grants = system.grants.select_related("resource").filter(state="ACTIVE").order_by("id")
        result.append(
            {
                "name": system.name,
                "key": entry["key"],
                "secret": entry["secret"],
                "algorithm": entry["algorithm"],
                "grants": [
                    {"grant": str(grant.uid), "service": grant.resource.title, "mode": grant.mode, "fields": grant.fields}
                    for grant in grants
                ],
            }
        )
    return result


def _in(department: Department, role: Role) -> Actor:
    """Return somebody who holds the role: an account where there is one, else the loader in the department's name."""
    user = User.objects.select_related("department").filter(department=department, role_assignments__role=role).first()
    if user is not None:
        return actor_of(user)
    return Actor(
        name=f"{department.short_name}({role.label})",
        department_id=department.pk,
        department=department.name,
        roles=frozenset({role}),
    )


def submitted(ask: Ask, at: datetime) -> AccessRequest:
    """Return the request a department's operator submitted."""
    today = at.astimezone(SHANGHAI).date()
    terms = Terms(
        system=str(ask.system.uid),
        mode=ask.mode,
        fields=ask.fields,
        term_from=today,
        term_to=today + timedelta(days=365),
        quota_per_day=5000,
        **ask.why,
    )
    return access_requests.draft(resource_uid=ask.resource.uid, terms=terms, actor=actor(f"{ask.people}_op"), now=at, submit=True)


def _granted(ask: Ask, at: datetime) -> None:
    request = submitted(ask, at)
    carry(request, Command.ENDORSE, f"{ask.people}_head", at)
    carry(request, Command.APPROVE, "reviewer", at)


def carry(request: AccessRequest, command: Command, who: str, at: datetime, reason: str = "") -> None:
    """Let somebody give a command to a request."""
    access_requests.carry_out(request_uid=request.uid, command=command, actor=actor(who), now=at, reason=reason)
