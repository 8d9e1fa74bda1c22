"""Reporting a missing license (缺失证照报告): by a window clerk or the holder, sent to the department that should have issued it.

Who already has it electronically is told so; a second report of the same license joins the first. Working on a report is
`checking`.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from basedb.models import License as CityLicense
from basedb.models import LicenseType
from core import audit, notifications
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.ids import uuid7
from core.roles import Role
from core.texts import visible
from licenses import subject_keys
from licenses.models import OPEN_MISSING, MissingKind, MissingReport, MissingStage, MissingState, MissingStep, TypeVersion
from licenses.reissue import clocks, providers
from licenses.reissue.workflow import Party

LONGEST: Final = 500
LONGEST_NAME: Final = 200
LONGEST_NUMBER: Final = 100
REPORT: Final = "REPORT"
# A license in force answers these; a lost or wrong one is in force as well.
ANSWERED_BY_ONE_IN_FORCE: Final = (MissingKind.PAPER_ONLY, MissingKind.NOT_FOUND)


@transaction.atomic
def report_missing(
    *,
    kind: str,
    type_code: str,
    region_code: str,
    holder_name: str,
    holder_code: str,
    note: str,
    actor: Actor,
    now: datetime,
    paper_number: str = "",
    is_by_holder: bool = False,
) -> MissingReport:
    """Report that a license is not there. `is_by_holder`: the door has made sure that the holder reports the own license."""
    if not is_by_holder and (actor.user_id is None or actor.department_id is None or not actor.has(Role.OPERATOR)):
        raise Forbidden("missing.not_yours", _("缺失证照由窗口经办人或持证人本人报告。"))
    code_type, code, key = _holder(holder_code)
    today = now.astimezone(SHANGHAI).date()
    type_name = type_name_of(type_code, today)
    given = {
        "holder_name": _text(holder_name, "holder_name", _("请填写持证主体名称。"), LONGEST_NAME),
        "note": _text(note, "note", _("请写明情况：何时在哪里办过、手里有什么材料。"), LONGEST),
        "paper_number": paper_number.strip()[:LONGEST_NUMBER],
    }
    _check(kind, region_code, type_name)
    if kind in ANSWERED_BY_ONE_IN_FORCE:
        _refuse_existing(key, type_code, given["paper_number"], today)
    provider = providers.provider_of(type_code, region_code, key, today)
    if provider is None:
        raise Conflict("missing.no_provider", _("没有可以核查的部门，请联系数据中心。"))
    report = MissingReport(
        number=_number(now), kind=kind, type_code=type_code, type_name=type_name, region_code=region_code, holder_code=code,
        holder_code_type=code_type, subject_key=key, is_by_holder=is_by_holder, reported_by_id=actor.user_id,
        reported_from_id=actor.department_id, reported_at=now, department=provider,
        due_at=clocks.due_at(MissingStage.RECEIVE, now), **given,
    )  # fmt: skip
    _lay_down(report)
    note_step(report, REPORT, actor=actor, now=now, note=given["note"])
    owners = [provider.pk, actor.department_id]
    audit.record(actor, "missing_license.reported", report, at=now, department_ids=owners, kind=kind, type_code=type_code)
    if report.state == MissingState.REPORTED:
        tell_desk(report, Party.OPERATOR, title=_("有缺失证照待核查：%(type)s") % {"type": type_name}, now=now)
    return report


def _lay_down(report: MissingReport) -> None:
    """Write the report; joined when the same license has been reported already. The database says which came first."""
    try:
        with transaction.atomic():
            report.save(force_insert=True)
    except IntegrityError:
        same = {"type_code": report.type_code, "subject_key": report.subject_key, "paper_number": report.paper_number}
        first = MissingReport.objects.select_for_update().filter(state__in=OPEN_MISSING, **same).first()
        if first is None:
            raise
        report.state, report.joined_into, report.department, report.due_at = MissingState.JOINED, first, first.department, None
        report.save(force_insert=True)


def reports_visible_to(actor: Actor) -> QuerySet[MissingReport]:
    """Return what a department has to look for or reported itself; all of them for the data centre and auditors."""
    found = MissingReport.objects.select_related("department", "reported_from", "joined_into")
    if (actor.is_data_centre and actor.has(Role.REVIEWER)) or actor.has(Role.AUDIT_ADMINISTRATOR):
        return found
    if actor.department_id is None or not actor.has(Role.OPERATOR, Role.HEAD):
        return found.none()
    return found.filter(Q(department_id=actor.department_id) | Q(reported_from_id=actor.department_id))


def reports_of(subject_key: bytes) -> QuerySet[MissingReport]:
    """Return what a holder or others reported about the holder's licenses, the newest first: for the holder's own page."""
    return MissingReport.objects.filter(subject_key=subject_key).select_related("department", "joined_into").order_by("-id")


def get_visible(uid: UUID, actor: Actor) -> MissingReport:
    """Return one report the actor may see; NotFound otherwise."""
    found = reports_visible_to(actor).filter(uid=uid).first()
    if found is None:
        raise NotFound("missing.not_found", _("没有这个报告，或您无权查看。"))
    return found


def types_on(day: date) -> list[tuple[str, str]]:
    """Return code and name of every type that can be missing."""
    return list(LicenseType.objects.filter(effective__contains=day).order_by("name").values_list("code", "name"))


def type_name_of(type_code: str, on: date) -> str:
    """Return the name of a type, nothing for one nobody knows."""
    known = LicenseType.objects.filter(code=type_code, effective__contains=on).values_list("name", flat=True).first()
    return known or TypeVersion.objects.filter(code=type_code).order_by("-number").values_list("name", flat=True).first() or ""


def note_step(report: MissingReport, command: str, *, actor: Actor, now: datetime, note: str) -> None:
    """Append what was done."""
    MissingStep.objects.create(
        report=report, command=command, state=report.state, actor_name=actor.name, department_name=actor.department,
        note=note, at=now,
    )  # fmt: skip


def path_of(report: MissingReport) -> str:
    """Return the page of a report."""
    return f"/missing-licenses/{report.uid}/"


def tell_desk(report: MissingReport, desk: Party, *, title: str, now: datetime) -> None:
    """Tell whoever has the ball next; where the data centre itself has to look, its reviewers."""
    role = Role.HEAD if desk is Party.HEAD else Role.OPERATOR
    notifications.notify_role(role, department_id=report.department_id, title=title, path=path_of(report), now=now)
    if report.department.is_data_centre and desk is Party.OPERATOR:
        notifications.notify_role(Role.REVIEWER, department_id=report.department_id, title=title, path=path_of(report), now=now)


def _holder(typed: str) -> tuple[str, str, bytes]:
    found = subject_keys.key_of(typed)
    if found is None:
        text = _("不是有效的公民身份号码或统一社会信用代码，请核对位数和校验位。")
        raise Invalid("missing.holder_code", text, {"holder_code": [text]})
    return found[0], subject_keys.written(found[0], typed), found[1]


def _check(kind: str, region_code: str, type_name: str) -> None:
    faults = {}
    if kind not in MissingKind.values:
        faults["kind"] = [_("请选择情形。")]
    if not type_name:
        faults["type_code"] = [_("证照目录中没有这个证照类型，请从列表中选择。")]
    if not (region_code.isascii() and region_code.isdigit() and len(region_code) in (6, 9, 12)):
        faults["region_code"] = [_("请选择证照所属的区划。")]
    if faults:
        raise Invalid("missing.invalid", _("报告有误，请一并修改。"), faults)


def _refuse_existing(key: bytes, type_code: str, paper_number: str, today: date) -> None:
    """Refuse what is answered at once: the license is there and in force."""
    found = CityLicense.objects.filter(subject_key=key, type_code=type_code, license_state="01", withdrawn_at=None)
    found = found.filter(Q(valid_to=None) | Q(valid_to__gte=today))
    if paper_number:
        found = found.filter(number=paper_number)
    existing = found.values_list("identifier", flat=True).first()
    if existing is not None or found.exists():
        text = _("该持证主体已有有效的同类电子证照，可以直接调取；如证照遗失或内容有误，请改选相应情形。")
        raise Conflict("missing.exists", text, {"identifier": existing or ""})


def _number(now: datetime) -> str:
    return f"QS{now.astimezone(SHANGHAI):%Y%m%d}-{uuid7().hex[-8:].upper()}"


def _text(given: str, field: str, missing: str, longest: int) -> str:
    text = given.replace("\r\n", "\n").strip()
    if not visible(text):
        raise Invalid("missing.text_missing", missing, {field: [missing]})
    if len(text) > longest:
        wrong = _("最多 %(count)s 个字。") % {"count": longest}
        raise Invalid("missing.text_too_long", wrong, {field: [wrong]})
    return text
