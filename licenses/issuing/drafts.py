"""Drafts (证照起草与签发): made and mended by an operator, checked, signed by another person - and only then a license.

A change, a renewal and a reissue are drafts of the next version of a license. What a check finds is kept with the draft for its
page; a signature checks anew and issues nothing when anything speaks against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, NotFound
from core.models import Department
from licenses import delivering
from licenses.issuing import candidates, checking, desks, writing
from licenses.issuing.candidates import Candidate
from licenses.issuing.workflow import DraftCommand, decide_draft
from licenses.models import DraftKind, DraftState, FileKind, IssuingDraft, License, LicenseState, Operation, TypeVersion
from licenses.reissue.checking import complete_for
from licenses.sealing import files
from licenses.types import offices
from licenses.types.faults import Fault, refuse
from licenses.types.reading import in_force
from licenses.types.rulebook import Rulebook

OPERATION_OF: Final = {
    DraftKind.NEW: Operation.ISSUED,
    DraftKind.CHANGE: Operation.CHANGED,
    DraftKind.RENEWAL: Operation.RENEWED,
    DraftKind.REISSUE: Operation.REISSUED,
}
Values = Mapping[str, Any]


@transaction.atomic
def make(*, type_code: str, values: Values, actor: Actor, now: datetime) -> IssuingDraft:
    """Draft a new license of a type in force. A wrong form raises Invalid; what the base databases know is asked later."""
    department = desks.own_department(actor)
    version = in_force(type_code, _today(now))
    offices.check_entrusted(version, department, _today(now))
    return _make(
        kind=DraftKind.NEW, type_version=version, supersedes=None, department=department, values=values, actor=actor, now=now
    )


@transaction.atomic
def make_next(
    *, license_uid: UUID, kind: DraftKind, values: Values, reason: str, basis: str, actor: Actor, now: datetime
) -> IssuingDraft:
    """Draft the next version of a license: a change, a renewal (延续, 行政许可法第五十条) or a reissue of a lost one."""
    department = desks.own_department(actor)
    before = visible_license(license_uid, actor)
    _check_previous(before, kind, _today(now))
    version = in_force(before.type_code, _today(now))
    offices.check_entrusted(version, department, _today(now))
    why = {"reason": desks.text_of(reason, "reason", missing=_("请写明事由。")), "basis": desks.text_of(basis, "basis")}
    return _make(
        kind=kind,
        type_version=version,
        supersedes=before,
        department=department,
        values={**values, "number": before.number},
        actor=actor,
        now=now,
        **why,
    )


def _make(
    *,
    kind: DraftKind,
    type_version: TypeVersion,
    supersedes: License | None,
    department: Department,
    values: Values,
    actor: Actor,
    now: datetime,
    **why: str,
) -> IssuingDraft:
    candidate = _formal(values, type_version, now)
    try:
        with transaction.atomic():
            draft = IssuingDraft.objects.create(
                kind=kind, type_version=type_version, department=department, supersedes=supersedes, made_by_id=actor.user_id or 0,
                **_columns(candidate), **why,
            )  # fmt: skip
    except IntegrityError as error:
        text = _("这份证照已有一件变更、延续或补发在办，请先办结或撤回它。")
        raise Conflict("draft.under_way", text) from error
    _audit("license_draft.made", draft, actor, now)
    return draft


@transaction.atomic
def edit(*, uid: UUID, revision: int, values: Values, actor: Actor, now: datetime) -> IssuingDraft:
    """Mend a draft before it is submitted; a stale revision raises Conflict."""
    draft = _locked(uid, revision, actor)
    decide_draft(DraftState(draft.state), DraftCommand.EDIT, _seats(draft, actor))
    if draft.supersedes is not None:
        values = {**values, "number": draft.supersedes.number}
    for name, value in _columns(_formal(values, draft.type_version, now)).items():
        setattr(draft, name, value)
    draft.made_by_id, draft.findings = actor.user_id or 0, []
    _save(draft, now)
    _audit("license_draft.edited", draft, actor, now)
    return draft


@transaction.atomic
def submit(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> IssuingDraft:
    """Check a draft and hand it to who signs; with findings it stays where it is, the findings with it, and waits to be mended."""
    draft = _locked(uid, revision, actor)
    following = decide_draft(DraftState(draft.state), DraftCommand.SUBMIT, _seats(draft, actor))
    draft.findings = [asdict(fault) for fault in findings_of(draft, today=_today(now))]
    if not draft.findings:
        draft.state, draft.submitted_at, draft.remark = following, now, ""
        desks.tell_signers(draft.department_id, title=_("有证照待签发"), path=path_of(draft), now=now)
    _save(draft, now)
    _audit("license_draft.submitted" if not draft.findings else "license_draft.check_failed", draft, actor, now)
    return draft


@transaction.atomic
def withdraw(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> IssuingDraft:
    """Withdraw a draft; nothing will be issued of it."""
    draft = _locked(uid, revision, actor)
    draft.state = decide_draft(DraftState(draft.state), DraftCommand.WITHDRAW, _seats(draft, actor))
    draft.decided_at = now
    _save(draft, now)
    _audit("license_draft.withdrawn", draft, actor, now)
    return draft


@transaction.atomic
def return_to_maker(*, uid: UUID, revision: int, remark: str, actor: Actor, now: datetime) -> IssuingDraft:
    """Give a draft back with what is to be mended."""
    draft = _locked(uid, revision, actor)
    draft.state = decide_draft(DraftState(draft.state), DraftCommand.RETURN, _seats(draft, actor))
    draft.remark = desks.text_of(remark, "remark", missing=_("请写明退回的原因。"))
    _save(draft, now)
    desks.tell_maker(draft, title=_("证照草稿被退回，请修改"), path=path_of(draft), now=now)
    _audit("license_draft.returned", draft, actor, now)
    return draft


@transaction.atomic
def sign(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> License:
    """Issue what a draft describes: checked anew, numbered, sealed, written - or refused with what speaks against it, unchanged."""
    draft = _locked(uid, revision, actor)
    following = decide_draft(DraftState(draft.state), DraftCommand.SIGN, _seats(draft, actor))
    candidate, faults = _read(draft, _today(now))
    checking.lock(type_code=draft.type_version.code, candidates=[candidate])
    before = None
    if draft.supersedes_id is not None:
        before = writing.locked([draft.supersedes_id])[draft.supersedes_id]
        _check_previous(before, DraftKind(draft.kind), _today(now))
    faults = faults or _known(draft, candidate, before, _today(now))
    refuse("draft.check_failed", _("签发前核查发现问题，没有签发。请退回经办人处理。"), faults)
    act = writing.Act(OPERATION_OF[DraftKind(draft.kind)], draft.reason, draft.basis, before)
    license = writing.write(candidate, act, type_version=draft.type_version, department=draft.department, actor=actor, now=now)
    if draft.type_version.layout.get("elements"):
        files.ensure(license, FileKind.PDF, now=now)
    draft.state, draft.issued, draft.decided_by_id, draft.decided_at, draft.findings = following, license, actor.user_id, now, []
    _save(draft, now)
    complete_for(license, actor=actor, now=now)
    delivering.ensure_source(draft.department)
    desks.tell_maker(draft, title=_("证照已签发"), path=f"/licenses/{license.uid}/", now=now)
    return license


def findings_of(draft: IssuingDraft, *, today: date) -> list[Fault]:
    """Return everything that speaks against issuing a draft as things stand now."""
    candidate, faults = _read(draft, today)
    return faults + _known(draft, candidate, draft.supersedes, today)


def visible_draft(uid: UUID, actor: Actor) -> IssuingDraft:
    """Return a draft the actor may see; NotFound otherwise."""
    draft = desks.drafts_visible_to(actor).filter(uid=uid).first()
    if draft is None:
        raise NotFound("draft.not_found", _("没有这份证照草稿，或您无权查看。"))
    return draft


def visible_license(uid: UUID, actor: Actor) -> License:
    """Return a license the actor may see; NotFound otherwise."""
    license = desks.licenses_visible_to(actor).filter(uid=uid).first()
    if license is None:
        raise NotFound("license.not_found", _("没有这份证照，或您无权查看。"))
    return license


def values_of(license: License) -> dict[str, Any]:
    """Return what the draft of the next version starts from."""
    return {
        "holders": list(license.holders.values("name", "code", "code_type")),
        "number": license.number,
        "region_code": license.region_code,
        "face": license.face,
        "valid_from": license.valid_from,
        "valid_to": license.valid_to,
        "has_paper": False,
    }


def path_of(draft: IssuingDraft) -> str:
    """Return where the page of a draft is."""
    return f"/licenses/drafts/{draft.uid}/"


def _check_previous(before: License, kind: DraftKind, today: date) -> None:
    """Only the current version in force has a next one; an expired license is not renewed but issued anew."""
    if not before.is_current:
        raise Conflict("license.superseded", _("这一版证照已被新版本取代，请到最新版本上办理。"))
    if before.state != LicenseState.VALID:
        text = _("证照现为“%(state)s”，不能办理%(kind)s。") % {"state": before.get_state_display(), "kind": kind.label}
        raise Conflict("license.wrong_state", text, {"state": before.state})
    if before.valid_to is not None and before.valid_to < today:
        raise Conflict("license.expired", _("证照已过有效期，不能办理%(kind)s，请新办。") % {"kind": kind.label})


def _formal(values: Values, version: TypeVersion, now: datetime) -> Candidate:
    candidate, faults = candidates.read(values, version, place=1, today=_today(now))
    faults += candidates.face_faults(candidate, Rulebook.of(version.rulebook))
    refuse("draft.invalid", _("填写内容有 %(count)d 处需要修改。") % {"count": len(faults)}, faults)
    return candidate


def _read(draft: IssuingDraft, today: date) -> tuple[Candidate, list[Fault]]:
    names = ("holders", "number", "region_code", "face", "valid_from", "valid_to", "has_paper")
    version = draft.type_version
    candidate, faults = candidates.read({name: getattr(draft, name) for name in names}, version, place=1, today=today)
    faults += candidates.face_faults(candidate, Rulebook.of(version.rulebook))
    faults += [fault for fault in (candidates.version_fault(version, today=today), _not_entrusted(draft, today)) if fault]
    return candidate, faults


def _not_entrusted(draft: IssuingDraft, today: date) -> Fault | None:
    return offices.fault_of(draft.type_version, draft.department, today)


def _known(draft: IssuingDraft, candidate: Candidate, before: License | None, today: date) -> list[Fault]:
    asked = checking.known_faults(
        [candidate], version=draft.type_version, issuer_code=draft.department.code, today=today, supersedes=before
    )
    return asked.get(candidate.place, [])


def _columns(candidate: Candidate) -> dict[str, Any]:
    return {
        "holders": [{"name": one.name, "code": one.code, "code_type": one.code_type} for one in candidate.holders],
        "number": candidate.number,
        "region_code": candidate.region_code,
        "face": dict(candidate.face),
        "valid_from": candidate.valid_from,
        "valid_to": candidate.valid_to,
        "has_paper": candidate.has_paper,
    }


def _locked(uid: UUID, revision: int, actor: Actor) -> IssuingDraft:
    draft = desks.drafts_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if draft is None:
        raise NotFound("draft.not_found", _("没有这份证照草稿，或您无权查看。"))
    if draft.revision != revision:
        raise Conflict("draft.stale", _("这份草稿刚被办理过，请刷新页面查看最新状态。"), {"revision": draft.revision})
    return draft


def _seats(draft: IssuingDraft, actor: Actor) -> Any:
    return desks.seats_of(actor, department_id=draft.department_id, made_by_id=draft.made_by_id)


def _save(draft: IssuingDraft, now: datetime) -> None:
    draft.revision += 1
    draft.save()


def _audit(action: str, draft: IssuingDraft, actor: Actor, now: datetime) -> None:
    what = {"type": draft.type_version.code, "kind": draft.kind, "state": draft.state}
    audit.record(actor, action, draft, at=now, department_ids=[draft.department_id], **what)


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
