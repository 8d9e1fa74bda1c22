"""The list of uses (用证清单): which items of a type a matter may ask for. The maintaining department proposes and publishes it.

A proposal is the operator's, publication the head's (never the same person); a published line never changes, it ends. Whoever reads
licenses for a matter asks `allowed_items` and may take no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from core.notifications import notify_role
from core.roles import Role
from core.texts import visible
from licenses.models import TypeUse, TypeVersion
from licenses.types import reading
from licenses.types.faults import Fault, readable, refuse
from licenses.types.layout import BUILT_IN
from licenses.types.publishing import reviews, today

LENGTHS = {"matter": 200, "purpose": 200, "basis": 300}


@dataclass(frozen=True, slots=True)
class UseTerms:
    """What a line says: `matter` is the title of a matter as its list has it, `items` names of items (or of `BUILT_IN`)."""

    matter: str
    purpose: str
    basis: str
    items: tuple[str, ...]


def allowed_items(type_code: str, matter: str, on: date) -> set[str]:
    """Return the items of a type that a matter may ask for on a day, all its purposes together; none listed is none allowed."""
    return {name for use in uses_in_force(on).filter(type_code=type_code, matter=matter) for name in use.items}


def uses_in_force(on: date) -> QuerySet[TypeUse]:
    """Return the lines in force on a day."""
    return TypeUse.objects.filter(effective__contains=on)


def uses_visible_to(actor: Actor) -> QuerySet[TypeUse]:
    """Published lines are every signed-in person's; proposals the department's, the data centre's and the auditor's."""
    rows = TypeUse.objects.select_related("department")
    if actor.has(Role.AUDIT_ADMINISTRATOR) or reviews(actor):
        return rows
    return rows.filter(Q(published_at__isnull=False) | Q(department_id=actor.department_id))


@transaction.atomic
def propose(*, type_code: str, terms: UseTerms, actor: Actor, now: datetime) -> TypeUse:
    """Propose a line for a type the actor's department maintains (operator)."""
    version = _in_force(type_code, now)
    _require(actor, Role.OPERATOR, version.department_id)
    refuse("license_use.invalid", _("用证清单条目不符合要求，请按所列字段修改。"), faults_of(terms, version))
    use = TypeUse.objects.create(
        type_code=type_code,
        matter=terms.matter.strip(),
        purpose=terms.purpose.strip(),
        basis=terms.basis.strip(),
        items=_in_order(terms.items, version),
        department_id=version.department_id,
        created_by_id=actor.user_id,
    )
    _record(actor, "license_use.proposed", use, now)
    title = _("待发布用证清单：%(title)s") % {"title": f"{version.name} {use}"}
    path = f"/license-types/{type_code}/"
    notify_role(Role.HEAD, department_id=version.department_id, title=title, path=path, now=now)
    return use


@transaction.atomic
def publish(*, uid: UUID, actor: Actor, now: datetime) -> TypeUse:
    """Publish a proposed line from today on (head of the maintaining department, not who proposed it)."""
    use = _opened(uid, actor)
    _require(actor, Role.HEAD, use.department_id)
    if use.effective is not None or use.published_at is not None:
        raise Conflict("license_use.not_proposed", _("这条用证清单已经发布或撤下，请刷新页面查看。"))
    if actor.user_id in _authors(use):
        raise Forbidden("license_use.own_proposal", _("本人提出的条目须由另一位负责人发布。"))
    version = _in_force(use.type_code, now)
    terms = UseTerms(use.matter, use.purpose, use.basis, tuple(use.items))
    refuse("license_use.invalid", _("用证清单条目与现行版本不符，请撤下后重新提出。"), faults_of(terms, version))
    use.effective, use.published_by_id, use.published_at = DateRange(today(now), None), actor.user_id, now
    use.revision += 1
    try:
        with transaction.atomic():
            use.save()
    except IntegrityError as error:
        text = _("同一事项、同一用途已有施行中的条目，请先终止旧条目。")
        raise Conflict("license_use.taken", text, {"matter": [text]}) from error
    _record(actor, "license_use.published", use, now)
    return use


@transaction.atomic
def end(*, uid: UUID, reason: str, actor: Actor, now: datetime) -> TypeUse:
    """End a line from today on, or drop a proposal: by the maintaining department's people or the data centre's reviewer."""
    use = _opened(uid, actor)
    require_ender(use, actor)
    if use.effective is not None and (use.effective.isempty or use.effective.upper is not None):
        raise Conflict("license_use.ended", _("这条用证清单已经终止。"))
    if not visible(reason) or len(reason) > 500:
        text = _("请填写原因，不超过 500 字。")
        raise Invalid("license_use.reason_missing", text, {"reason": [text]})
    first = use.effective.lower if use.effective else None
    day = today(now)
    use.effective = DateRange(first, max(first, day)) if first else DateRange(day, day)
    use.revision += 1
    use.save()
    _record(actor, "license_use.ended", use, now, reason=reason.strip())
    return use


def require_ender(use: TypeUse, actor: Actor) -> None:
    """Raise Forbidden unless the actor may end a line, or drop it while it is only proposed."""
    if not reviews(actor):
        _require(actor, Role.HEAD if use.published_at else Role.OPERATOR, use.department_id)


def get_visible(uid: UUID, actor: Actor) -> TypeUse:
    """Return a line the actor may see, or raise NotFound."""
    use = uses_visible_to(actor).filter(uid=uid).first()
    if use is None:
        raise _not_found()
    return use


def faults_of(terms: UseTerms, version: TypeVersion) -> list[Fault]:
    """Return everything wrong with a line."""
    found = []
    for name, most in LENGTHS.items():
        value: str = getattr(terms, name)
        if not visible(value):
            found.append(Fault(name, "text.missing", _("此项必填。")))
        elif len(value) > most or not readable(value):
            found.append(Fault(name, "text.too_long", _("最多 %(most)d 个字，不能含有控制字符。") % {"most": most}))
    if not terms.items:
        found.append(Fault("items", "items.missing", _("请至少选择一个照面项目。")))
    known = names_of(version)
    for item in terms.items:
        if item not in known:
            text = _("现行版本没有照面项目“%(item)s”。") % {"item": item[:60]}
            found.append(Fault("items", "item.unknown", text))
    return found


def names_of(version: TypeVersion) -> dict[str, str]:
    """Return the names a line may list, with their titles: items of the version, then what every license has."""
    return {item["name"]: item["title"] for item in version.rulebook} | {name: str(title) for name, title in BUILT_IN.items()}


def _in_order(items: Sequence[str], version: TypeVersion) -> list[str]:
    return [name for name in names_of(version) if name in items]


def _in_force(type_code: str, now: datetime) -> TypeVersion:
    version = reading.in_force(type_code, today(now))
    if not version.rulebook:
        raise Conflict("license_use.not_laid_out", _("这个类型还没有照面项目，请先编制并发布照面项目。"))
    return version


def _opened(uid: UUID, actor: Actor) -> TypeUse:
    use = uses_visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if use is None:
        raise _not_found()
    return use


def _not_found() -> NotFound:
    return NotFound("license_use.not_found", _("没有这条用证清单，或您无权查看。"))


def _require(actor: Actor, role: Role, department_id: int) -> None:
    if not actor.has(role) or actor.department_id != department_id:
        raise Forbidden("license_use.forbidden", _("此操作仅限维护部门的%(role)s。") % {"role": role.label})


def _authors(use: TypeUse) -> set[int]:
    written = AuditEntry.objects.filter(object_uid=str(use.uid), action="license_use.proposed")
    return {pk for pk in (use.created_by_id, *written.values_list("actor_id", flat=True)) if pk}


def _record(actor: Actor, action: str, use: TypeUse, now: datetime, **detail: object) -> None:
    audit.record(
        actor, action, use, at=now, department_ids=[use.department_id], code=use.type_code, items=use.items, **detail
    )  # fmt: skip
