"""Departments (部门): set up, renamed, dissolved with a successor. History is never rewritten: a dissolved one stays.

Kept by the system administrator. Moving what a dissolved department owns to its successor is not done here.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from stdnum.cn import uscc

from core import audit
from core.accounts import require
from core.audit import Actor
from core.audit_trail import last_hand
from core.errors import Conflict, Invalid, NotFound
from core.models import Department, Region
from core.roles import Role


@transaction.atomic
def create_department(*, actor: Actor, code: str, name: str, short_name: str, region_code: str, now: datetime) -> Department:
    """Set up a department in a region; its code is a unified social credit code (GB 32100)."""
    require(actor, Role.SYSTEM_ADMINISTRATOR)
    region = _region(region_code)
    if not uscc.is_valid(code):
        raise _wrong("department.code_invalid", "code", _("统一社会信用代码的形式或校验位不正确。"))
    _check_free(region, code=code, name=name)
    department = Department.objects.create(code=code, name=name, short_name=short_name, region=region, valid_from=now.date())
    audit.record(actor, "department.created", department, at=now, department_ids=[department.pk], code=code)
    return department


@transaction.atomic(durable=True)
def change_department(
    *, actor: Actor, uid: UUID, revision: int, name: str, short_name: str, region_code: str, now: datetime
) -> Department:
    """Rename a department or move it to another region; a stale revision raises Conflict with what changed."""
    require(actor, Role.SYSTEM_ADMINISTRATOR)
    department = _locked(uid)
    region = _region(region_code)
    if department.revision != revision:
        current = {"name": department.name, "short_name": department.short_name, "region_code": department.region.code}
        wanted = {"name": name, "short_name": short_name, "region_code": region_code}
        changed = {field: value for field, value in current.items() if value != wanted[field]}
        text = _("%(who)s修改过这个部门，您的修改没有保存。请核对后再保存。") % {
            "who": last_hand(department, actor, "department.changed")
        }
        raise Conflict("department.stale", text, changed)
    _check_free(region, name=name, but=department)
    before = {"name": department.name, "region": department.region.code}
    department.name, department.short_name, department.region = name, short_name, region
    department.revision += 1
    department.save()
    audit.record(actor, "department.changed", department, at=now, department_ids=[department.pk], before=before)
    return department


@transaction.atomic(durable=True)
def dissolve_department(*, actor: Actor, uid: UUID, successor_uid: UUID, on: date, now: datetime) -> Department:
    """Dissolve a department in favour of another; accounts still open in it raise Conflict."""
    require(actor, Role.SYSTEM_ADMINISTRATOR)
    department = _locked(uid)
    successor = Department.objects.filter(uid=successor_uid, valid_to=None).exclude(pk=department.pk).first()
    if successor is None:
        raise _wrong("department.successor_invalid", "successor", _("承接部门不存在或已撤销。"))
    if department.is_data_centre:
        raise Conflict("department.data_centre", _("数据主管部门不能在此撤销。"))
    open_accounts = department.users.filter(is_active=True).count()
    if open_accounts:
        text = _("该部门还有 %(count)s 个启用的账户，请先调动或停用。") % {"count": open_accounts}
        raise Conflict("department.has_accounts", text, {"accounts": open_accounts})
    department.valid_to, department.successor = on, successor
    department.revision += 1
    department.save()
    audit.record(
        actor,
        "department.closed",
        department,
        at=now,
        department_ids=[department.pk, successor.pk],
        successor=successor.name,
        on=on.isoformat(),
    )
    return department


def _locked(uid: UUID) -> Department:
    department = Department.objects.select_for_update(of=("self",)).select_related("region").filter(uid=uid, valid_to=None).first()
    if department is None:
        raise NotFound("department.not_found", _("没有这个部门，或该部门已撤销。"))
    return department


def _region(code: str) -> Region:
    region = Region.objects.filter(code=code, valid_to=None).first()
    if region is None:
        raise _wrong("department.region_invalid", "region_code", _("没有这个行政区划。"))
    return region


def _check_free(region: Region, *, name: str, code: str = "", but: Department | None = None) -> None:
    others = Department.objects.filter(valid_to=None)
    if but:
        others = others.exclude(pk=but.pk)
    if code and others.filter(code=code).exists():
        raise _wrong("department.code_taken", "code", _("该部门代码已被使用。"))
    if others.filter(region=region, name=name).exists():
        raise _wrong("department.name_taken", "name", _("该区划内已有同名部门。"))


def _wrong(code: str, field: str, text: str) -> Invalid:
    return Invalid(code, text, {field: [text]})
