"""Entrusting departments with a type (登记签发机构、变更维护部门): who keeps it, and which further offices issue it.

The keeping department proposes an office (operator) and confirms it (head, never the same person); its head or the data centre's
reviewer ends it. What was issued before stays good. Offices issue in their own name, under their own code.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from basedb.identifiers import uscc_format_ok
from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid
from core.models import AuditEntry, Department
from core.notifications import notify_role
from core.roles import Role
from core.texts import visible
from licenses.models import IssuingFeed, TypeOffice, TypeState, TypeUse, TypeVersion
from licenses.types import offices, reading, standing
from licenses.types.faults import readable
from licenses.types.publishing import LONGEST_REASON, require_keeper, reviews, today

LONGEST_BASIS = 300


@transaction.atomic
def propose(*, type_code: str, department: UUID, basis: str, actor: Actor, now: datetime) -> TypeOffice:
    """Propose an office to issue a type in force (operator of the keeping department)."""
    version = reading.in_force(type_code, today(now))
    require_keeper(actor, Role.OPERATOR, version)
    office = _checked(Department.objects.filter(uid=department).first(), version)
    try:
        with transaction.atomic():
            made = TypeOffice.objects.create(
                type_code=type_code, department=office, proposed_by_id=actor.user_id,
                basis=_text(basis, "basis", LONGEST_BASIS, _("请填写依据（法律条款或文件名称和文号），不超过 300 字。")),
            )  # fmt: skip
    except IntegrityError as error:
        text = _("该机构已登记为这类证照的签发机构，或已有一条待确认的登记。")
        raise Conflict("license_office.taken", text, {"department": [text]}) from error
    _record(actor, "license_office.proposed", made, version, now)
    title = _("待确认签发机构：%(title)s") % {"title": f"{version.name} {made.department.name}"}
    notify_role(Role.HEAD, department_id=version.department_id, title=title, path=path_of(made), now=now)
    return made


@transaction.atomic
def confirm(*, uid: UUID, actor: Actor, now: datetime) -> TypeOffice:
    """Entrust a proposed office from today on (head of the keeping department, not who proposed it)."""
    office, version = _opened(uid, actor)
    require_keeper(actor, Role.HEAD, version)
    if office.effective is not None or office.ended_at is not None:
        raise Conflict("license_office.not_proposed", _("这条签发机构登记已经确认或撤下，请刷新页面查看。"))
    if actor.user_id in _authors(office):
        raise Forbidden("license_office.own_proposal", _("本人提出的签发机构须由另一位负责人确认。"))
    _checked(office.department, version)
    office.effective, office.confirmed_by_id, office.confirmed_at = DateRange(today(now), None), actor.user_id, now
    _save(office)
    _record(actor, "license_office.confirmed", office, version, now)
    title = _("本部门可以签发“%(name)s”") % {"name": version.name}
    for role in (Role.OPERATOR, Role.HEAD):
        notify_role(role, department_id=office.department_id, title=title, path=path_of(office), now=now)
    return office


@transaction.atomic
def end(*, uid: UUID, reason: str, actor: Actor, now: datetime) -> TypeOffice:
    """End an entrustment at once, or drop a proposal; drafts and batches not yet signed are no longer issued."""
    office, version = _opened(uid, actor)
    require_ender(office, actor)
    if office.ended_at is not None:
        raise Conflict("license_office.ended", _("这条签发机构登记已经终止。"))
    why = _text(reason, "reason", LONGEST_REASON, _("请填写原因，不超过 500 字。"))
    _end(office, why, actor, now)
    _record(actor, "license_office.ended", office, version, now, reason=why)
    if office.effective is not None:
        title = _("本部门不再签发“%(name)s”") % {"name": version.name}
        for role in (Role.OPERATOR, Role.HEAD):
            notify_role(role, department_id=office.department_id, title=title, body=why, path=path_of(office), now=now)
    return office


@transaction.atomic
def entrust(*, code: str, department: UUID, actor: Actor, now: datetime) -> TypeVersion:
    """Entrust the upkeep of a type to a department (数据主管部门审核员); what its versions say and what was issued stays."""
    if not reviews(actor):
        raise Forbidden("license_type.centre_only", _("此操作仅限数据主管部门的审核员。"))
    standing.lock()
    newest = reading.versions_of(code, actor)[0]
    keeper = Department.objects.filter(uid=department, valid_to=None).first()
    if keeper is None:
        text = _("请选择一个现有部门。")
        raise Invalid("license_type.department_unknown", text, {"department": [text]})
    before = newest.department
    if keeper.pk != before.pk:
        _hand_over(code, before, keeper, actor, now)
    newest.department = keeper
    departments, told = [before.pk, keeper.pk], {"before": before.name, "after": keeper.name}
    audit.record(actor, "license_type.entrusted", newest, at=now, department_ids=departments, **told)
    return newest


def require_ender(office: TypeOffice, actor: Actor) -> None:
    """Raise Forbidden unless the actor may end an entrustment, or drop it while it is only proposed."""
    if not reviews(actor):
        require_keeper(actor, Role.HEAD if office.effective is not None else Role.OPERATOR, _version(office.type_code))


def path_of(office: TypeOffice) -> str:
    """Return where the offices of the type are."""
    return f"/license-types/{office.type_code}/#offices"


def _checked(office: Department | None, version: TypeVersion) -> Department:
    if office is None or office.valid_to is not None:
        wrong = _("请选择一个现有部门。")
    elif office.pk == version.department_id:
        wrong = _("维护部门本来就可以签发，不用登记。")
    elif not uscc_format_ok(office.code):
        wrong = _("该部门的代码不是统一社会信用代码，不能生成证照标识，请先更正部门代码。")
    else:
        return office
    raise Invalid("license_office.department_wrong", wrong, {"department": [wrong]})


def _hand_over(code: str, before: Department, keeper: Department, actor: Actor, now: datetime) -> None:
    """Write the new keeper on every version, and down in the list that the one before issued the type until today."""
    day = today(now)
    TypeVersion.objects.filter(code=code).update(department=keeper)
    TypeUse.objects.filter(type_code=code).update(department=keeper)
    for entry in TypeOffice.objects.select_for_update().filter(type_code=code, department=keeper, ended_at=None):
        _end(entry, _("改由该部门维护。"), actor, now)
    IssuingFeed.objects.filter(type_code=code, department=before, closed_at=None).update(closed_at=now)
    first = _kept_since(code)
    if first is not None and first <= day:
        TypeOffice.objects.create(
            type_code=code, department=before, is_former_keeper=True, effective=DateRange(first, day + timedelta(days=1)),
            confirmed_by_id=actor.user_id, confirmed_at=now, ended_by_id=actor.user_id, ended_at=now,
        )  # fmt: skip


def _kept_since(code: str) -> date | None:
    """Return the day the keeper before took a type over, or its first version came into force; None while none is published."""
    last = TypeOffice.objects.filter(type_code=code, is_former_keeper=True).order_by("-effective__endswith").first()
    if last is not None and last.effective is not None and last.effective.upper is not None:
        return last.effective.upper - timedelta(days=1)
    published = TypeVersion.objects.filter(code=code).exclude(state=TypeState.DRAFT).order_by("effective__startswith").first()
    return published.effective.lower if published is not None and published.effective is not None else None


def _end(office: TypeOffice, reason: str, actor: Actor, now: datetime) -> None:
    if office.effective is not None:
        office.effective = DateRange(office.effective.lower, today(now) + timedelta(days=1))
    office.ended_by_id, office.ended_at, office.end_reason = actor.user_id, now, reason
    _save(office)
    feeds = IssuingFeed.objects.filter(type_code=office.type_code, department_id=office.department_id, closed_at=None)
    feeds.exclude(department=_version(office.type_code).department).update(closed_at=now)


def _save(office: TypeOffice) -> None:
    office.revision += 1
    office.save(
        update_fields=["effective", "confirmed_by", "confirmed_at", "ended_by", "ended_at", "end_reason", "revision", "updated_at"]
    )


def _opened(uid: UUID, actor: Actor) -> tuple[TypeOffice, TypeVersion]:
    office = offices.visible_to(actor).select_for_update(of=("self",)).filter(uid=uid).first()
    if office is None:
        raise offices.not_found()
    return office, _version(office.type_code)


def _version(type_code: str) -> TypeVersion:
    return TypeVersion.objects.select_related("department").filter(code=type_code).order_by("-number")[0]


def _text(given: str, field: str, most: int, wrong: str) -> str:
    text = given.replace("\r\n", "\n").strip()
    if not visible(text) or len(text) > most or not readable(text.replace("\n", "")):
        raise Invalid(f"license_office.{field}_missing", wrong, {field: [wrong]})
    return text


def _authors(office: TypeOffice) -> set[int]:
    written = AuditEntry.objects.filter(object_uid=str(office.uid), action="license_office.proposed")
    return {pk for pk in (office.proposed_by_id, *written.values_list("actor_id", flat=True)) if pk}


def _record(actor: Actor, action: str, office: TypeOffice, version: TypeVersion, now: datetime, **detail: object) -> None:
    departments = [version.department_id, office.department_id]
    told = {"code": office.type_code, "office": office.department.name, "basis": office.basis}
    audit.record(actor, action, office, at=now, department_ids=departments, **told, **detail)
