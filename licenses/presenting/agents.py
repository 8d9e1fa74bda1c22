"""Agents of an enterprise (企业代办人): its legal representative lets a person present its licenses, for a scope and a period.

The authorization ends by its last day, by being taken back, and with the person or the enterprise. One at a time for a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from basedb.models import License, Person
from core import audit
from core.audit import Actor
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from licenses.models import EnterpriseAgent, HolderSession, PresentingCode
from licenses.presenting.holders import person_of
from licenses.presenting.sessions import Session

LONGEST_DAYS: Final = 366


@transaction.atomic
def authorize(
    *,
    session: Session,
    citizen_id: str,
    name: str,
    type_codes: Sequence[str],
    until: date,
    actor: Actor,
    today: date,
    now: datetime,
) -> EnterpriseAgent:
    """Let a person present the enterprise's licenses (of some types, or all) until a day, that day included."""
    _check_representative(session)
    wrong: dict[str, Any] = {}
    person: Person | None = None
    try:
        person = person_of(citizen_id=citizen_id, name=name)
    except DomainError as error:
        wrong["citizen_id"] = [error.message]
    if not today <= until <= today + timedelta(days=LONGEST_DAYS):
        wrong["until"] = [_("授权期限自今天起，最长一年。")]
    unknown = set(type_codes) - set(types_of(session.subject_key))
    if unknown:
        wrong["type_codes"] = [_("只能选择本企业持有的证照类型。")]
    if wrong or person is None:
        raise Invalid("presenting.agent_invalid", _("授权内容有误，请修改。"), wrong)
    if bytes(person.subject_key) == session.person_key:
        text = _("法定代表人本人无需授权。")
        raise Invalid("presenting.agent_invalid", text, {"citizen_id": [text]})
    try:
        with transaction.atomic():
            agent = EnterpriseAgent.objects.create(
                enterprise_key=session.subject_key,
                agent_key=person.subject_key,
                agent_name=person.name,
                type_codes=sorted(set(type_codes)),
                period=DateRange(today, until + timedelta(days=1)),
                granted_by_key=session.person_key,
                granted_at=now,
            )
    except IntegrityError:
        raise Conflict("presenting.agent_exists", _("此人已有有效的代办授权，请先撤回再授权。")) from None
    audit.record(actor, "agent.authorized", agent, at=now, until=until.isoformat(), type_codes=agent.type_codes)
    return agent


@transaction.atomic
def revoke(*, session: Session, uid: UUID, actor: Actor, now: datetime) -> EnterpriseAgent:
    """Take an authorization back; the agent's open sessions for the enterprise end and codes not yet read are stopped."""
    _check_representative(session)
    agent = EnterpriseAgent.objects.select_for_update().filter(uid=uid, enterprise_key=session.subject_key).first()
    if agent is None:
        raise NotFound("presenting.agent_not_found", _("没有这项代办授权。"))
    if agent.revoked_at is not None:
        raise Conflict("presenting.agent_revoked", _("这项代办授权已经撤回。"))
    agent.revoked_at = now
    agent.save(update_fields=["revoked_at"])
    HolderSession.objects.filter(agent=agent, subject_key=session.subject_key, ended_at=None).update(ended_at=now)
    shown = PresentingCode.objects.filter(subject_key=session.subject_key, session__agent=agent)
    shown.filter(state__in=("CREATED", "SCANNED", "CONFIRMED")).update(state="BLOCKED")
    audit.record(actor, "agent.revoked", agent, at=now)
    return agent


def of_enterprise(*, session: Session) -> list[EnterpriseAgent]:
    """Return the authorizations of the session's enterprise, the newest first, to its legal representative alone."""
    _check_representative(session)
    return list(EnterpriseAgent.objects.filter(enterprise_key=session.subject_key).order_by("-id")[:100])


def types_of(subject_key: bytes) -> dict[str, str]:
    """Return the types of the licenses a holder has: code -> name."""
    rows = License.objects.filter(subject_key=subject_key, withdrawn_at=None).order_by("title")
    return dict(rows.values_list("type_code", "title"))


def _check_representative(session: Session) -> None:
    if not session.is_representative:
        raise Forbidden("presenting.not_representative", _("代办授权由企业的法定代表人办理。"))
