"""Sessions of holders (持证人会话): a trusted application lets a holder in by a ticket that opens once, within two minutes.

The session lasts a quarter of an hour and has nothing to do with those of staff. Each entry gives a new token and ends what was
open. Which application is trusted, and for whom it speaks, is decided in the exchange.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, NotFound
from licenses.models import Assurance, HolderBlock, HolderSession, PresentingCode
from licenses.presenting.code_text import digest_of
from licenses.presenting.holders import Holder
from licenses.presenting.running import Run, through_django
from licenses.presenting.statements import AT, FIND, LEAST_ASSURANCE

COOKIE: Final = "holder_session"
TICKET_LIVES: Final = timedelta(minutes=2)
SESSION_LASTS: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Session:
    """A live session: whose licenses, who is at the phone, until when."""

    id: int
    uid: UUID
    subject_key: bytes
    subject_kind: str
    person_key: bytes
    expires_at: datetime
    assurance: int
    agent_id: int | None
    type_codes: tuple[str, ...]

    @property
    def is_representative(self) -> bool:
        """Whether this is an enterprise's legal representative."""
        return self.subject_kind != "PERSON" and self.agent_id is None


@transaction.atomic
def let_in(*, holder: Holder, assurance: int, system_id: int, actor: Actor, now: datetime) -> tuple[str, datetime]:
    """Return a ticket for a holder and until when it opens; `actor` is the identity application."""
    if assurance < LEAST_ASSURANCE:
        raise Forbidden("presenting.assurance_low", _("身份核验等级不够：出示证照须经实名核验。"))
    if HolderBlock.objects.filter(subject_key__in=(holder.subject_key, holder.person_key), lifted_at=None).exists():
        raise Conflict("presenting.holder_blocked", _("该主体的亮证已停用，须核实身份后恢复。"))
    ticket, until = secrets.token_urlsafe(32), now + TICKET_LIVES
    session = HolderSession.objects.create(
        subject_key=holder.subject_key,
        subject_kind=holder.kind,
        person_key=holder.person_key,
        agent=holder.agent,
        assurance=Assurance(assurance),
        system_id=system_id,
        system_name=actor.name,
        ticket_digest=digest_of(ticket),
        ticket_until=until,
        created_at=now,
    )
    audit.record(actor, "holder_session.let_in", None, at=now, session=str(session.uid), assurance=int(assurance))
    return ticket, until


@transaction.atomic
def enter(*, ticket: str, now: datetime) -> tuple[str, HolderSession]:
    """Open a session by its ticket, once; return the token for the cookie. Whatever else the person had open is ended."""
    found = HolderSession.objects.filter(ticket_digest=digest_of(ticket)).first()
    if found is None:
        raise NotFound("presenting.ticket_unknown", _("入口地址不正确，请回到身份应用重新打开。"))
    same = HolderSession.objects.filter(subject_key=found.subject_key, person_key=found.person_key, ended_at=None)
    held = {one.pk: one for one in same.select_for_update().order_by("pk")}  # two who enter at once lock in one order
    session = held.get(found.pk)
    if session is None or session.opened_at is not None:
        raise Conflict("presenting.ticket_used", _("入口地址已经用过，请回到身份应用重新打开。"))
    if now >= session.ticket_until:
        raise Conflict("presenting.ticket_expired", _("入口地址已失效（两分钟内有效），请回到身份应用重新打开。"))
    same.exclude(pk=session.pk).update(ended_at=now)
    token = secrets.token_urlsafe(32)
    session.token_digest, session.opened_at, session.expires_at = digest_of(token), now, now + SESSION_LASTS
    session.save(update_fields=["token_digest", "opened_at", "expires_at"])
    return token, session


def find(*, token: str, now: datetime, run: Run = through_django) -> Session:
    """Return the live session of a token; Forbidden says why there is none."""
    rows = run(FIND, AT, at(token, now)) if token else []
    if not rows:
        raise refusal(token=token, now=now)
    return _session(rows[0])


def at(token: str, now: datetime) -> dict[str, Any]:
    """Return the values every statement of a session has."""
    return {"token": digest_of(token), "now": now}


def refusal(*, token: str, now: datetime) -> Forbidden:
    """Return why a token opens nothing."""
    session = HolderSession.objects.filter(token_digest=digest_of(token)).select_related("agent").first() if token else None
    if session is not None:
        keys = (bytes(session.subject_key), bytes(session.person_key))
        if HolderBlock.objects.filter(subject_key__in=keys, lifted_at=None).exists():
            return Forbidden("presenting.holder_blocked", _("亮证已停用。请致电热线核实身份后恢复。"))
        if session.agent is not None and session.agent.revoked_at is not None:
            return Forbidden("presenting.not_agent", _("企业已撤回对您的代办授权。"))
    return Forbidden("presenting.session_ended", _("会话已结束。请回到身份应用重新打开亮证。"))


def end(*, token: str, now: datetime) -> None:
    """End a session (退出)."""
    HolderSession.objects.filter(token_digest=digest_of(token), ended_at=None).update(ended_at=now)


def end_all_of(subject_key: bytes, *, now: datetime) -> tuple[int, int]:
    """End every session a holder takes part in and stop the codes nobody has read yet; return how many of each."""
    taking_part = HolderSession.objects.filter(Q(subject_key=subject_key) | Q(person_key=subject_key), ended_at=None)
    shown = dict(taking_part.select_for_update().order_by("pk").values_list("pk", "subject_key"))
    waiting = PresentingCode.objects.filter(state__in=("CREATED", "SCANNED", "CONFIRMED"))
    stopped = waiting.filter(subject_key=subject_key).update(state="BLOCKED")
    stopped += waiting.filter(subject_key__in=set(shown.values()), session_id__in=shown).update(state="BLOCKED")
    return HolderSession.objects.filter(pk__in=shown, ended_at=None).update(ended_at=now), stopped


def _session(row: tuple[Any, ...]) -> Session:
    values = list(row)
    values[1] = UUID(str(row[1]))
    values[2], values[4], values[8] = bytes(row[2]), bytes(row[4]), tuple(row[8])
    return Session(*values)
