"""Letting holders in (持证人进入): a trusted identity application says who is at the phone; the base databases check it.

What it gets is an address that opens once, within two minutes. The application never sees the session, and the session never the
application's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import Department
from core.notifications import notify_role
from exchange.calls.refusals import Refusal
from exchange.calls.values import text
from exchange.models import ConsumerSystem, IdentityApplication
from licenses.models import Assurance
from licenses.presenting import sessions
from licenses.presenting.holders import Holder, for_enterprise, for_person
from licenses.recognition.keeping import CENTRE_ROLES, may_keep

PERSON: Final = frozenset({"citizen_id", "name"})
ENTERPRISE: Final = frozenset({"uscc", "name"})
PARTS: Final = frozenset({"holder", "agent", "assurance"})
PATH: Final = "/presenting/applications/"


def let_in(*, system_id: int, given: Mapping[str, Any], client_ip: str | None, now: datetime) -> dict[str, str]:
    """Return the address for a holder's browser and until when it opens; refuses who is not trusted or not known."""
    application = (
        IdentityApplication.objects.filter(system_id=system_id, ended_at=None, confirmed_at__isnull=False)
        .select_related("system__department")
        .first()
    )
    if application is None:
        raise Refusal("presenting.not_identity_application")
    assurance = given.get("assurance")
    if assurance not in Assurance.values or isinstance(assurance, bool) or set(given) - PARTS:
        raise Refusal("call.invalid_parameter", {"assurance": "must_be_1_2_or_3"})
    if assurance > application.assurance_at_most:
        raise Refusal("presenting.assurance_low", {"assurance": "above_what_the_application_may_say"})
    system = application.system
    actor = Actor(
        name=system.name, department_id=system.department_id, department=system.department.name, client_ip=client_ip
    )  # fmt: skip
    holder = _holder(given, now)
    ticket, until = sessions.let_in(holder=holder, assurance=int(assurance), system_id=system.pk, actor=actor, now=now)
    return {"url": f"{settings.PUBLIC_URL.rstrip('/')}/holder/enter/{ticket}/", "expires_at": until.isoformat()}


def _holder(given: Mapping[str, Any], now: datetime) -> Holder:
    holder, agent = given.get("holder"), given.get("agent")
    if isinstance(holder, dict) and set(holder) == PERSON and agent is None:
        person = _texts(holder, "holder")
        return for_person(citizen_id=person["citizen_id"], name=person["name"])
    if isinstance(holder, dict) and set(holder) == ENTERPRISE and isinstance(agent, dict) and set(agent) == PERSON:
        entity, person = _texts(holder, "holder"), _texts(agent, "agent")
        today = now.astimezone(SHANGHAI).date()
        return for_enterprise(
            uscc=entity["uscc"], name=entity["name"], citizen_id=person["citizen_id"], person_name=person["name"], today=today
        )
    raise Refusal("call.invalid_parameter", {"holder": "citizen_id_and_name_or_uscc_and_name_with_agent"})


def _texts(values: Mapping[str, Any], of: str) -> dict[str, str]:
    return {name: text(value, f"{of}.{name}", 200) for name, value in values.items()}


def applications() -> QuerySet[IdentityApplication]:
    """Return every identity application with its system."""
    return IdentityApplication.objects.select_related("system__department", "registered_by", "confirmed_by")


def awaiting(actor: Actor) -> QuerySet[IdentityApplication]:
    """Return the proposals that wait for this person: what another keeper proposed and nobody confirmed."""
    rows = IdentityApplication.objects.filter(confirmed_at=None, ended_at=None)
    return rows.exclude(registered_by_id=actor.user_id) if may_keep(actor) else rows.none()


@transaction.atomic
def propose(*, system_uid: UUID, assurance: int, basis: str, actor: Actor, now: datetime) -> IdentityApplication:
    """Lay down that a system shall let holders in, up to a level, and why; nobody is let in before another person confirmed it."""
    _check_keeper(actor)
    basis = basis.strip()
    if not basis or assurance not in Assurance.values:
        text_ = _("请写明依据，并选择核验等级。")
        raise Invalid("identity_application.invalid", text_, {"basis": [text_]})
    system = ConsumerSystem.objects.filter(uid=system_uid, is_active=True).first()
    if system is None:
        raise NotFound("system.not_found", _("没有这个系统，或您无权查看。"))
    if IdentityApplication.objects.filter(system=system, ended_at=None).exists():
        raise Conflict("identity_application.exists", _("这个系统已经登记为可信身份应用，或正在等待复核。"))
    made, _is_new = IdentityApplication.objects.update_or_create(
        system=system,
        defaults={
            "assurance_at_most": assurance, "basis": basis[:200], "registered_by_id": actor.user_id, "ended_at": None,
            "confirmed_by_id": None, "confirmed_at": None,
        },
    )  # fmt: skip
    audit.record(actor, "identity_application.proposed", made, at=now, department_ids=_concerned(system), assurance=assurance)
    title = _("可信身份应用“%(name)s”待复核") % {"name": system.name}
    for role in CENTRE_ROLES:
        notify_role(role, department_id=actor.department_id or 0, title=title, path=PATH, now=now)
    return made


@transaction.atomic
def confirm(*, uid: UUID, actor: Actor, now: datetime) -> IdentityApplication:
    """Trust a proposed system from now on: another person of the data centre than the one who proposed it."""
    _check_keeper(actor)
    found = _locked(uid)
    if found.confirmed_at is not None:
        raise Conflict("identity_application.confirmed", _("这个可信身份应用已经复核，请刷新页面。"))
    if found.registered_by_id == actor.user_id:
        raise Forbidden("identity_application.same_person", _("登记人不能复核自己的登记，请由数据中心另一人复核。"))
    found.confirmed_by_id, found.confirmed_at = actor.user_id, now
    found.save(update_fields=["confirmed_by", "confirmed_at", "updated_at"])
    concerned = _concerned(found.system)
    audit.record(
        actor, "identity_application.trusted", found, at=now, department_ids=concerned, assurance=found.assurance_at_most
    )  # fmt: skip
    return found


@transaction.atomic
def end_trust(*, uid: UUID, actor: Actor, now: datetime) -> IdentityApplication:
    """Trust a system no longer, or drop a proposal, which takes one person; sessions it opened go on, no new ones begin."""
    _check_keeper(actor)
    found = _locked(uid)
    found.ended_at = now
    found.save(update_fields=["ended_at", "updated_at"])
    audit.record(actor, "identity_application.ended", found, at=now, department_ids=_concerned(found.system))
    return found


def _locked(uid: UUID) -> IdentityApplication:
    found = IdentityApplication.objects.select_for_update(of=("self",)).select_related("system").filter(uid=uid).first()
    if found is None or found.ended_at is not None:
        raise NotFound("identity_application.not_found", _("没有这个可信身份应用，或已停用。"))
    return found


def _concerned(system: ConsumerSystem) -> list[int]:
    centre = Department.objects.filter(is_data_centre=True).values_list("pk", flat=True)
    return [system.department_id, *centre]


def _check_keeper(actor: Actor) -> None:
    if not may_keep(actor):
        text_ = _("可信身份应用由数据中心审核员和负责人登记、复核和停用。")
        raise Forbidden("role.required", text_, {"roles": [role.value for role in CENTRE_ROLES]})
