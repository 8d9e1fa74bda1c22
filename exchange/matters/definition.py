"""Defining matters (事项编制与发布): the leading department drafts and submits, the data centre reviews, and it is in force.

A published version never changes: the next version is drafted beside it and takes its place when it is published (Order 716
Art. 7: materials the government holds already are not to be asked for again).
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from basedb.models import LicenseType
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import Department
from core.notifications import notify_role
from core.roles import Role
from exchange.matters.content import MATTER_CODE, Content, content_of, faults
from exchange.models import Material, Matter, MatterParty, MatterState
from exchange.querysets import is_auditor, is_reviewer
from exchange.requests.request_terms import text_fault

OPEN = (MatterState.DRAFT, MatterState.SUBMITTED)


def matters_visible_to(actor: Actor) -> QuerySet[Matter]:
    """Return published and retired versions; drafts of the own department, and those that wait for the data centre."""
    seen = Q(state__in=(MatterState.PUBLISHED, MatterState.RETIRED))
    if actor.has(Role.OPERATOR, Role.HEAD):
        seen |= Q(department_id=actor.department_id)
    if is_reviewer(actor) or is_auditor(actor):
        seen |= Q(state=MatterState.SUBMITTED)
    if not (actor.has(Role.OPERATOR, Role.HEAD) or is_reviewer(actor) or is_auditor(actor)):
        seen = Q(pk__in=[])
    return Matter.objects.filter(seen).select_related("department")


def visible_matter(uid: UUID, actor: Actor) -> Matter:
    """Return one version, or raise NotFound."""
    found = matters_visible_to(actor).filter(uid=uid).first()
    if found is None:
        raise NotFound("matter.not_found", _("没有这个事项，或您无权查看。"))
    return found


def may_edit(matter: Matter, actor: Actor) -> bool:
    """Return whether the actor may change a draft or start the next version."""
    return actor.has(Role.OPERATOR) and actor.department_id == matter.department_id


@transaction.atomic
def draft(*, code: str, content: Content, actor: Actor, now: datetime) -> Matter:
    """Begin a matter of the actor's department, or the next version of one it has published."""
    if actor.department_id is None or not actor.has(Role.OPERATOR):
        raise Forbidden("matter.not_yours", _("事项由牵头部门经办人编制。"))
    if not MATTER_CODE.fullmatch(code):
        fault = _("事项编码须为 1 至 40 位字母、数字、下划线或连字符。")
        raise Invalid("matter.invalid", fault, {"code": fault})
    with connection.cursor() as cursor:  # of two first drafts of a code the second one waits, and finds it taken
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"exchange.matter:{code}"])
    versions = Matter.objects.select_for_update().filter(code=code)
    last = versions.order_by("-number").first()
    if last is not None and last.department_id != actor.department_id:
        fault = _("这个事项编码已由其他部门使用。")
        raise Conflict("matter.code_taken", fault, {"code": fault})
    if last is not None and last.state in OPEN:
        raise Conflict("matter.draft_exists", _("这个事项已有编制中的版本，请在其上修改。"))
    _check(content)
    made = Matter.objects.create(
        code=code,
        number=last.number + 1 if last else 1,
        department_id=actor.department_id,
        created_by_id=actor.user_id,
        **_head(content),
    )
    _write_rows(made, content)
    audit.record(
        actor, "matter.drafted", made, at=now, department_ids=[made.department_id], code=code, number=made.number,
    )  # fmt: skip
    return made


@transaction.atomic
def revise(*, uid: UUID, revision: int, content: Content, actor: Actor, now: datetime) -> Matter:
    """Rewrite a draft."""
    matter = _open(uid, revision, actor, (MatterState.DRAFT,))
    _check_owner(matter, actor)
    _check(content)
    before = content_of(matter)
    for name, value in _head(content).items():
        setattr(matter, name, value)
    matter.materials.all().delete()
    matter.parties.all().delete()
    _write_rows(matter, content)
    _save(matter)
    changed = [name for name, value in asdict(content).items() if value != asdict(before)[name]]
    audit.record(actor, "matter.revised", matter, at=now, department_ids=[matter.department_id], changed=changed)
    return matter


@transaction.atomic
def submit(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> Matter:
    """Hand a draft to the data centre; it must name a party and a material at least."""
    matter = _open(uid, revision, actor, (MatterState.DRAFT,))
    _check_owner(matter, actor)
    _check(content_of(matter))
    if not matter.parties.exists() or not matter.materials.exists():
        raise Conflict("matter.incomplete", _("事项还没有当事人或材料，请补充后再提交审核。"))
    matter.state, matter.note = MatterState.SUBMITTED, ""
    _save(matter)
    for centre in Department.objects.filter(is_data_centre=True, valid_to=None).values_list("pk", flat=True):
        title = _("待审核事项：%(name)s") % {"name": matter.name}
        notify_role(Role.REVIEWER, department_id=centre, title=title, path=_path(matter), now=now)
    audit.record(actor, "matter.submitted", matter, at=now, department_ids=[matter.department_id])
    return matter


@transaction.atomic
def decide(*, uid: UUID, revision: int, is_approved: bool, note: str, actor: Actor, now: datetime) -> Matter:
    """Publish a submitted version, which retires the one before it, or return it with a reason."""
    matter = _open(uid, revision, actor, (MatterState.SUBMITTED,))
    if not is_reviewer(actor):
        raise Forbidden("matter.not_reviewer", _("事项由数据中心审核员审核。"))
    note = note.strip()
    fault = text_fault(note, longest=500, may_have_lines=True) if note or not is_approved else ""
    if fault:
        raise Invalid("matter.invalid", fault, {"note": fault})
    if is_approved:
        Matter.objects.filter(code=matter.code, state=MatterState.PUBLISHED).update(
            state=MatterState.RETIRED, retired_at=now, updated_at=now
        )
        matter.published_at, matter.published_by_id = now, actor.user_id
    matter.state = MatterState.PUBLISHED if is_approved else MatterState.DRAFT
    matter.note = note
    _save(matter)
    title = (_("事项已发布：%(name)s") if is_approved else _("事项被退回：%(name)s")) % {"name": matter.name}
    notify_role(Role.OPERATOR, department_id=matter.department_id, title=title, path=_path(matter), now=now)
    action = "matter.published" if is_approved else "matter.returned"
    audit.record(actor, action, matter, at=now, department_ids=[matter.department_id], number=matter.number, note=note)
    return matter


@transaction.atomic
def retire(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> Matter:
    """Take a published version out of force; nothing can be fetched for it any more."""
    matter = _open(uid, revision, actor, (MatterState.PUBLISHED,))
    _check_owner(matter, actor)
    matter.state, matter.retired_at = MatterState.RETIRED, now
    _save(matter)
    audit.record(actor, "matter.retired", matter, at=now, department_ids=[matter.department_id], number=matter.number)
    return matter


def in_force(code: str) -> Matter | None:
    """Return the published version of a matter."""
    return Matter.objects.select_related("department").filter(code=code, state=MatterState.PUBLISHED).first()


def published(code: str) -> Matter:
    """Return the published version of a matter, or raise NotFound."""
    found = in_force(code)
    if found is None:
        raise NotFound("matter.not_found", _("没有这个事项，或您无权查看。"))
    return found


def _open(uid: UUID, revision: int, actor: Actor, states: tuple[MatterState, ...]) -> Matter:
    matter = matters_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if matter is None:
        raise NotFound("matter.not_found", _("没有这个事项，或您无权查看。"))
    if matter.state not in states:
        raise Conflict("matter.wrong_state", _("事项现为“%(state)s”，不能这样办理。") % {"state": matter.get_state_display()})
    if matter.revision != revision:
        raise Conflict("revision.stale", _("事项已有变化，本次没有保存，请核对后再办理。"), {"revision": matter.revision})
    return matter


def _check_owner(matter: Matter, actor: Actor) -> None:
    if not may_edit(matter, actor):
        raise Forbidden("matter.not_yours", _("事项由牵头部门经办人编制。"))


def _check(content: Content) -> None:
    types = set(LicenseType.objects.values_list("code", flat=True))
    found = faults(content, types)
    known = Department.objects.filter(pk__in=content.consumers, valid_to=None).count()
    if known != len(set(content.consumers)):
        found["consumers"] = _("联办部门中有不存在或已撤销的部门。")
    if found:
        raise Invalid("matter.invalid", _("事项内容有误，请一并修改后再保存。"), found)


def _head(content: Content) -> dict[str, object]:
    return {
        "name": content.name,
        "summary": content.summary,
        "legal_basis": content.legal_basis,
        "consumers": sorted(set(content.consumers)),
    }


def _write_rows(matter: Matter, content: Content) -> None:
    rows = [MatterParty(matter=matter, ordinal=place, **asdict(party)) for place, party in enumerate(content.parties, start=1)]
    parties = {row.role: row for row in MatterParty.objects.bulk_create(rows)}
    Material.objects.bulk_create(
        Material(matter=matter, ordinal=place, **{**asdict(one), "party": parties[one.party], "items": list(one.items)})
        for place, one in enumerate(content.materials, start=1)
    )


def _save(matter: Matter) -> None:
    matter.revision += 1
    matter.save()


def _path(matter: Matter) -> str:
    return f"/matters/{matter.uid}/"
