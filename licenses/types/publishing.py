"""From draft to publication of a license type (编制、送审、发布、停用): the commands on its versions.

The department that maintains a type drafts it (operator) and publishes it (head, never the same person). A published version never
changes: licenses name it. A change is the next version. Loading in bulk is in `loading`, the list of uses in `uses`, who keeps and
issues a type in `entrusting`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid
from core.models import AuditEntry
from core.notifications import notify_role, notify_users
from core.roles import Role
from licenses.models import TypeState, TypeVersion
from licenses.types import reading, standing
from licenses.types.comparing import Content, differences
from licenses.types.facts import TypeFacts
from licenses.types.faults import Fault, refuse
from licenses.types.layout import Layout
from licenses.types.rulebook import Rulebook

LONGEST_REASON = 500


@transaction.atomic
def draft(*, facts: TypeFacts, actor: Actor, now: datetime, rulebook: Any = (), layout: Any = None) -> TypeVersion:
    """Draft a type that nobody has entered yet; the drafting department maintains it."""
    if not actor.has(Role.OPERATOR) or actor.department_id is None:
        raise Forbidden("license_type.forbidden", _("只有部门经办人可以编制证照类型。"))
    standing.lock()
    _check(facts)
    if TypeVersion.objects.filter(code=facts.code).exists():
        text = _("这个证照类型代码已有登记，请在该类型下编制新版本，或改用别的顺序号。")
        raise Invalid("license_type.code_taken", text, {"code": [text]})
    version = TypeVersion(department_id=actor.department_id, created_by_id=actor.user_id, number=1)
    _write(version, Content(facts, Rulebook.of(list(rulebook)), Layout.of(layout or {})))
    version.save()
    _record(actor, "license_type.drafted", version, now)
    return version


@transaction.atomic
def open_next(*, code: str, actor: Actor, now: datetime) -> TypeVersion:
    """Open the next version of a type as a draft: a copy of the newest published one."""
    versions = reading.versions_of(code, actor)
    newest = versions[0]
    require_keeper(actor, Role.OPERATOR, newest)
    if newest.state == TypeState.DRAFT:
        raise Conflict("license_type.draft_open", _("这个类型已有一份草稿，请在草稿上继续。"), {"uid": str(newest.uid)})
    if newest.state == TypeState.RETIRED:
        raise _retired()
    version = TypeVersion(department_id=newest.department_id, created_by_id=actor.user_id, number=newest.number + 1)
    _write(version, content_of(newest))
    try:
        with transaction.atomic():
            version.save()
    except IntegrityError as error:
        raise Conflict("license_type.draft_open", _("刚刚有人为这个类型开了草稿，请刷新后在草稿上继续。")) from error
    _record(actor, "license_type.drafted", version, now, of=newest.number)
    return version


@transaction.atomic
def revise(
    *,
    uid: UUID,
    revision: int,
    actor: Actor,
    now: datetime,
    facts: TypeFacts | None = None,
    rulebook: Any = None,
    layout: Any = None,
) -> TypeVersion:
    """Write a draft anew in part, which takes it back from the head's desk. The code may change in a first version only."""
    if facts is not None:  # they hold the code, which the catalogue's lock keeps; it is taken before any row
        standing.lock()
    version = _opened(uid, revision, actor)
    require_keeper(actor, Role.OPERATOR, version)
    was = content_of(version)
    new = Content(
        facts or was.facts,
        was.rulebook if rulebook is None else Rulebook.of(rulebook),
        was.layout if layout is None else Layout.of(layout),
    )
    _check(new.facts)
    if new.facts.code != version.code:
        _check_recoding(version, new.facts.code)
    _write(version, new)
    version.revised_by_id, version.submitted_at = actor.user_id, None
    _advance(version)
    _record(actor, "license_type.revised", version, now, changed=len(differences(was, new)))
    return version


@transaction.atomic
def submit(*, uid: UUID, revision: int, actor: Actor, now: datetime) -> TypeVersion:
    """Hand a complete draft to the head; everything that is missing is told at once."""
    version = _opened(uid, revision, actor)
    require_keeper(actor, Role.OPERATOR, version)
    check_publishable(version)
    version.submitted_at = now
    _advance(version)
    _record(actor, "license_type.submitted", version, now)
    notify_role(
        Role.HEAD,
        department_id=version.department_id,
        title=_("待发布证照类型：%(title)s") % {"title": str(version)},
        path=f"/license-types/versions/{version.uid}/",
        now=now,
    )
    return version


@transaction.atomic
def send_back(*, uid: UUID, revision: int, reason: str, actor: Actor, now: datetime) -> TypeVersion:
    """Give a submitted draft back to its operators with a reason."""
    version = _opened(uid, revision, actor)
    require_keeper(actor, Role.HEAD, version)
    _submitted(version)
    why = _reason(reason)
    version.submitted_at = None
    _advance(version)
    _record(actor, "license_type.returned", version, now, reason=why)
    title = _("证照类型被退回：%(title)s") % {"title": str(version)}
    path = f"/license-types/versions/{version.uid}/"
    notify_users(_authors(version), title=title, body=why, path=path, now=now)
    return version


@transaction.atomic
def publish(*, uid: UUID, revision: int, effective_from: date, actor: Actor, now: datetime) -> TypeVersion:
    """Publish a submitted draft from a day on (head of the maintaining department); the version before it ends on that day."""
    standing.lock()
    version = _opened(uid, revision, actor)
    require_keeper(actor, Role.HEAD, version)
    if actor.user_id in _authors(version):
        raise Forbidden("license_type.own_draft", _("本人编制或修改过的版本须由另一位负责人发布。"))
    _submitted(version)
    check_publishable(version)
    if effective_from < today(now):
        text = _("施行日期不能早于今天。")
        raise Invalid("license_type.effective_past", text, {"effective_from": [text]})
    put_in_force(version, effective_from)
    version.published_by_id, version.published_at = actor.user_id, now
    _advance(version)
    _record(actor, "license_type.published", version, now, effective_from=effective_from.isoformat())
    title = _("证照类型已发布：%(title)s") % {"title": str(version)}
    notify_users(_authors(version), title=title, path=f"/license-types/{version.code}/", now=now)
    return version


@transaction.atomic
def retire(*, code: str, reason: str, actor: Actor, now: datetime) -> TypeVersion:
    """Retire a type from today on (数据主管部门审核员): nothing more is issued under it; licenses that were stay what they are."""
    _require_reviewer(actor)
    standing.lock()
    why = _reason(reason)
    reading.versions_of(code, actor)
    day = today(now)
    published = list(TypeVersion.objects.select_for_update().filter(code=code, state=TypeState.PUBLISHED).order_by("number"))
    if not published:
        raise Conflict("license_type.not_published", _("这个类型没有施行中的版本，不需要停用。"))
    for version in published:
        first = version.effective.lower or day
        if version.effective.upper is None or version.effective.upper > day:
            version.state, version.effective = TypeState.RETIRED, DateRange(first, max(first, day))
            _advance(version)
    standing.end(code, day)
    last = published[-1]
    _record(actor, "license_type.retired", last, now, reason=why)
    title = _("证照类型已停用：%(title)s") % {"title": last.name}
    for role in (Role.OPERATOR, Role.HEAD):
        path = f"/license-types/{code}/"
        notify_role(role, department_id=last.department_id, title=title, body=why, path=path, now=now)
    return last


def check_publishable(version: TypeVersion) -> None:
    """Raise Invalid naming everything that keeps a draft from being published."""
    faults = faults_of(version)
    refuse("license_type.incomplete", _("还不能发布：有 %(count)d 处要补充或修改。") % {"count": len(faults)}, faults)


def faults_of(version: TypeVersion) -> list[Fault]:
    """Return everything that keeps a draft from being published, an unchanged content included."""
    content = content_of(version)
    found = [*content.facts.faults()]
    if not content.rulebook.items:
        found.append(Fault("items", "items.missing", _("还没有照面项目，请先增加。")))
    found += content.layout.faults(content.rulebook)
    before = TypeVersion.objects.filter(code=version.code, number__lt=version.number).order_by("-number").first()
    if before is not None and before.state == TypeState.RETIRED:
        found.append(Fault("code", "license_type.retired", _("这个类型已停用，不能再发布新版本。")))
    if before is not None and not differences(content_of(before), content):
        text = _("内容与第 %(number)d 版相同，没有可以发布的变化。") % {"number": before.number}
        found.append(Fault("version", "license_type.unchanged", text))
    return found


def put_in_force(version: TypeVersion, first_day: date) -> None:
    """Set a version in force from a day on, ending the one before it there, and enter it in the base database."""
    before = TypeVersion.objects.select_for_update().filter(code=version.code, effective__upper_inf=True).exclude(pk=version.pk)
    for earlier in before:
        began = earlier.effective.lower
        if began is not None and began >= first_day:
            text = _("施行日期要晚于第 %(number)d 版的施行日期 %(day)s。") % {
                "number": earlier.number,
                "day": began.isoformat(),
            }
            raise Invalid("license_type.effective_early", text, {"effective_from": [text]})
        earlier.effective = DateRange(began, first_day)
        _advance(earlier)
    version.state, version.effective = TypeState.PUBLISHED, DateRange(first_day, None)
    standing.enter(version, first_day)


def content_of(version: TypeVersion) -> Content:
    """Return everything a version says."""
    return Content(TypeFacts.of(version), Rulebook.of(version.rulebook), Layout.of(version.layout))


def may_edit(version: TypeVersion, actor: Actor) -> bool:
    """Whether the actor may revise this version."""
    return version.state == TypeState.DRAFT and actor.has(Role.OPERATOR) and actor.department_id == version.department_id


def may_publish(version: TypeVersion, actor: Actor) -> bool:
    """Whether the actor may decide about this version now."""
    return (
        version.state == TypeState.DRAFT
        and version.submitted_at is not None
        and actor.has(Role.HEAD)
        and actor.department_id == version.department_id
        and actor.user_id not in _authors(version)
    )


def reviews(actor: Actor) -> bool:
    """Whether the actor keeps the catalogue for the data centre: loads in bulk, retires, entrusts."""
    return actor.is_data_centre and actor.has(Role.REVIEWER)


def today(now: datetime) -> date:
    """Return the day in Shanghai."""
    return now.astimezone(SHANGHAI).date()


def _opened(uid: UUID, revision: int, actor: Actor) -> TypeVersion:
    seen = reading.get_visible(uid, actor)
    version = TypeVersion.objects.select_for_update(of=("self",)).select_related("department").get(pk=seen.pk)
    if version.state != TypeState.DRAFT:
        raise Conflict("license_type.not_draft", _("这个版本已经发布，内容不能再改；修改请编制新版本。"), {"state": version.state})
    if version.revision != revision:
        text = _("这份草稿在您打开页面后被修改过，您的操作没有执行。请核对后重试。")
        raise Conflict("license_type.stale", text, {"revision": version.revision})
    return version


def _check(facts: TypeFacts) -> None:
    refuse("license_type.invalid", _("类型基本信息不符合要求，请按所列字段修改。"), facts.faults())


def _check_recoding(version: TypeVersion, code: str) -> None:
    if version.number > 1:
        text = _("已发布过的类型不能改代码。")
        raise Invalid("license_type.code_fixed", text, {"code": [text]})
    if TypeVersion.objects.filter(code=code).exists():
        text = _("这个证照类型代码已有登记，请改用别的顺序号。")
        raise Invalid("license_type.code_taken", text, {"code": [text]})


def _write(version: TypeVersion, content: Content) -> None:
    for name, value in content.facts.to_json().items():
        setattr(version, name, value)
    version.rulebook, version.layout = content.rulebook.to_json(), content.layout.to_json()


def _advance(version: TypeVersion) -> None:
    version.revision += 1
    version.save()


def _authors(version: TypeVersion) -> set[int]:
    """Whoever drafted or ever revised a version, by the audit trail."""
    written = AuditEntry.objects.filter(object_uid=str(version.uid), action__in=("license_type.drafted", "license_type.revised"))
    return {pk for pk in (version.created_by_id, version.revised_by_id, *written.values_list("actor_id", flat=True)) if pk}


def _submitted(version: TypeVersion) -> None:
    if version.submitted_at is None:
        raise Conflict("license_type.not_submitted", _("这份草稿还没有送审，请经办人先送审。"))


def require_keeper(actor: Actor, role: Role, version: TypeVersion) -> None:
    """Raise Forbidden unless the actor holds the role in the department that maintains the type."""
    if not actor.has(role) or actor.department_id != version.department_id:
        text = _("此操作仅限维护部门（%(department)s）的%(role)s。")
        raise Forbidden("license_type.forbidden", text % {"department": version.department.name, "role": role.label})


def _require_reviewer(actor: Actor) -> None:
    if not reviews(actor):
        raise Forbidden("license_type.centre_only", _("此操作仅限数据主管部门的审核员。"))


def _retired() -> Conflict:
    return Conflict("license_type.retired", _("这个类型已停用，不能再编制新版本。"))


def _reason(text: str) -> str:
    if not text.strip() or len(text) > LONGEST_REASON:
        wrong = _("请填写原因，不超过 500 字。")
        raise Invalid("license_type.reason_missing", wrong, {"reason": [wrong]})
    return text.strip()


def _record(actor: Actor, action: str, version: TypeVersion, now: datetime, **detail: object) -> None:
    audit.record(
        actor,
        action,
        version,
        at=now,
        department_ids=[version.department_id],
        code=version.code,
        number=version.number,
        revision=version.revision,
        **detail,
    )
