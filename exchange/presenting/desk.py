"""The desk (窗口扫码): a clerk on a page of the portal scans in the name of a system of the own department, under its grant.

The same statements as for systems, on the page's connection: no key signs, so the call record names no credential but the officer.
Quota counts as for the system. Tries that were refused are written down and audited.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.dictionary.licenses import LICENSE
from core import audit
from core.audit import Actor
from core.crypto import HmacAlgorithm
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unavailable
from core.roles import Role
from exchange.call_log import NO_CREDENTIAL
from exchange.calls import admission, conditions, quota, registry, shape
from exchange.calls.refusals import REFUSALS, Refusal
from exchange.calls.terms import Caller, Context, Question, Signed, Terms
from exchange.models import Grant, GrantState
from exchange.presenting import needs, scanning
from exchange.presenting.calling import check_wanted
from exchange.presenting.scanning import Desk, selection_of
from licenses.models import PresentingCode
from licenses.presenting.code_text import read_code
from licenses.presenting.holding import rulebooks
from licenses.presenting.running import through_django
from licenses.types.printed import FOR_EVER
from licenses.types.rulebook import Rulebook

KINDS: Final[dict[int, type[DomainError]]] = {403: Forbidden, 404: NotFound, 422: Invalid, 503: Unavailable}


@dataclass(frozen=True, slots=True)
class Handed:
    """What the desk was handed over: licenses with titles and values of the items."""

    licenses: list[tuple[str, list[tuple[str, str]]]]
    call_id: str


def grants_of(actor: Actor, now: datetime) -> QuerySet[Grant]:
    """Return the grants a clerk may scan under: those of the own department's systems on licenses."""
    return (
        Grant.objects.filter(
            system__department_id=actor.department_id or 0,
            system__is_active=True,
            mode="QUERY",
            state=GrantState.ACTIVE,
            valid_from__lte=now,
            valid_to__gt=now,
            resource__binding__dataset=LICENSE.code,
        )
        .select_related("system", "resource")
        .order_by("-id")
    )


def matters() -> list[tuple[str, str]]:
    """Return the matters of the list of uses: code and title."""
    return needs.known_matters(through_django)


def fitting_grant(*, matter: str, actor: Actor, now: datetime) -> UUID:
    """Return the grant under which most of what a matter needs may be read; an unknown one when there is none."""
    need = needs.need_of(matter, through_django)
    sizes: dict[UUID, int] = {}
    for grant in grants_of(actor, now):
        with contextlib.suppress(Refusal):
            asked = needs.asked_of(need, selection_of(_terms(grant.uid, actor, matter, now))) if need else {}
            sizes[grant.uid] = sum(len(items) for items in asked.values())
    return max(sizes, key=lambda uid: sizes[uid], default=UUID(int=0))


def scan(*, code: str, matter: str, grant_uid: UUID, actor: Actor, now: datetime) -> UUID:
    """Take a code over for a matter; return the number of the presentation."""
    _check_clerk(actor)
    with transaction.atomic():
        try:
            presentation = _scan(code, matter, grant_uid, actor, now)
        except Refusal as refusal:  # what was written of the try stays
            refused = _refused(refusal, actor, now, matter)
        else:
            audit.record(actor, "presentation.scanned", None, at=now, presentation=presentation, matter=matter)
            return UUID(presentation)
    raise refused


def read(*, uid: UUID, actor: Actor, now: datetime) -> Handed:
    """Return what the holder agreed to, once; the use, the call and the audit entry are written with it."""
    _check_clerk(actor)
    code = scanned_by(actor).filter(uid=uid).first()
    if code is None:
        raise NotFound("presenting.not_found", str(REFUSALS["presenting.not_found"].message))
    with transaction.atomic():
        try:
            body, call_id = _read(code, actor, now)
        except Refusal as refusal:
            refused = _refused(refusal, actor, now, code.matter)
        else:
            audit.record(actor, "presentation.read", None, at=now, presentation=str(uid), matter=code.matter, call=call_id)
            return Handed(_titled(code, json.loads(body)), call_id)
    raise refused


def scanned_by(actor: Actor) -> QuerySet[PresentingCode]:
    """Return the presentations a clerk scanned, or all of the department for its head."""
    rows = PresentingCode.objects.filter(department_id=actor.department_id, actor_id__isnull=False)
    return rows if actor.has(Role.HEAD) else rows.filter(actor_id=actor.user_id)


def _scan(code: str, matter: str, grant_uid: UUID, actor: Actor, now: datetime) -> str:
    terms = _terms(grant_uid, actor, matter, now)
    text = read_code(code)
    if not text:
        raise Refusal("presenting.code_malformed")
    wanted = check_wanted(needs.need_of(matter, through_django), selection_of(terms))
    signed, at = _signed(terms, actor, now), Desk(terms, through_django, now, actor.user_id)
    found = scanning.run_alone(scanning.scan_row(text, wanted, signed, at), through_django)
    return str(scanning.scanned(found, text, wanted, signed, at)["presentation"])


def _read(code: PresentingCode, actor: Actor, now: datetime) -> tuple[str, str]:
    grant = Grant.objects.filter(pk=code.grant_id or 0).first()
    terms = _terms(grant.uid if grant else UUID(int=0), actor, code.matter, now)
    signed = _signed(terms, actor, now)
    context = Context(matter=code.matter, officer=f"user-{actor.user_id}")
    question = Question(selection_of(terms), None, context=context)
    allowance = _admitted(signed, terms, question)
    at = Desk(terms, through_django, now, actor.user_id)
    found = scanning.run_alone(scanning.read_row(str(code.uid), question, signed, at, allowance.remaining), through_django)
    body, _digest = scanning.handed_over(found, str(code.uid), signed, at)
    return body.decode(), signed.call_id


def _terms(grant_uid: UUID, actor: Actor, matter: str, now: datetime) -> Terms:
    """Return the grant as the database has it now, for a system of the clerk's department; refuse one that does not hold."""
    own = grants_of(actor, now).filter(uid=grant_uid).values_list("system_id", flat=True).first()
    found = Grant.objects.filter(uid=grant_uid, system__department_id=actor.department_id or 0).first()
    terms = registry.terms_of(str(grant_uid), through_django) if found else None
    terms, selection = shape.check_terms(terms, own or (found.system_id if found else 0), "QUERY", now)
    needs.check_dataset(selection)
    conditions.check_origin(terms.conditions, actor.client_ip)
    conditions.check_context(terms.conditions, Context(matter=matter))
    return terms


def _signed(terms: Terms, actor: Actor, now: datetime) -> Signed:
    """Return a call as the record will tell of it: by nobody's key, by an officer of the department."""
    caller = Caller(
        credential_id=NO_CREDENTIAL,
        key="",
        secret=b"",
        algorithm=HmacAlgorithm.SHA256,
        is_revoked=False,
        valid_from=now,
        valid_to=now,
        system_id=terms.system_id,
        department_id=actor.department_id or 0,
        is_active=True,
    )
    call_id = scanning.new_call_id()
    return Signed(
        call_id=call_id,
        caller=caller,
        mode="QUERY",
        path="",
        signed_ms=int(now.timestamp() * 1000),
        nonce=call_id,
        digest=hashlib.sha256().hexdigest(),
        client_ip=actor.client_ip,
    )


def _admitted(signed: Signed, terms: Terms, question: Question) -> admission.Allowance:
    """Count the call against the grant's quota; rebuild it first when Redis has lost its memory."""
    try:
        return admission.admit(signed, terms, question)
    except Refusal as refusal:
        if refusal.code != "platform.recovering":
            raise
    quota.rebuild()
    return admission.admit(signed, terms, question)


def _refused(refusal: Refusal, actor: Actor, now: datetime, matter: str) -> DomainError:
    """Write a refusal down and return it as a page shows it."""
    audit.record(actor, "presentation.refused", None, at=now, code=refusal.code, matter=matter[:64])
    verdict = REFUSALS[refusal.code]
    kind = KINDS.get(verdict.status, Conflict)
    return kind(refusal.code, _("%(message)s。") % {"message": verdict.message})


def _titled(code: PresentingCode, told: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    titles = {item["name"]: item["title"] for one in code.asked for item in one["items"]}
    books = rulebooks({one["type_code"] for one in told["licenses"]})
    return [(one["title"], _read_out(one["items"], titles, books.get(one["type_code"], Rulebook()))) for one in told["licenses"]]


def _read_out(items: dict[str, Any], titles: dict[str, str], book: Rulebook) -> list[tuple[str, str]]:
    """Return what was handed over as people read it: what every license has, then the face in its order."""
    always = [name for name in items if name not in book.by_name]
    lines = [(titles.get(name, name), _plain(name, items[name])) for name in always]
    face = [item for item in book.items if item.name in items]
    return lines + [(titles.get(item.name, item.title), item.shown(str(items[item.name] or ""))) for item in face]


def _plain(name: str, value: Any) -> str:
    if value is None and name.endswith("valid_to"):
        return FOR_EVER
    return "" if value is None else str(value)


def _check_clerk(actor: Actor) -> None:
    if not actor.has(Role.OPERATOR, Role.HEAD):
        raise Forbidden("role.required", _("扫码由部门的经办人办理。"), {"roles": [Role.OPERATOR.value, Role.HEAD.value]})
