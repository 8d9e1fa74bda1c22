"""Who may issue a type (签发机构): the department that keeps it and the offices entrusted with it, on a day. Nobody else may.

Entrusting and ending it is `entrusting`'s.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core.audit import Actor
from core.errors import Forbidden, NotFound
from core.models import Department
from core.roles import Role
from licenses.models import TypeOffice, TypeVersion
from licenses.types.faults import Fault


def may_issue(version: TypeVersion, department_id: int, on: date) -> bool:
    """Return whether a department may issue a type on a day."""
    return (
        version.department_id == department_id or entrusted(on).filter(type_code=version.code, department_id=department_id).exists()
    )


def entrusted(on: date) -> QuerySet[TypeOffice]:
    """Return the offices entrusted with something on a day: confirmed and not ended."""
    return TypeOffice.objects.filter(ended_at=None, effective__contains=on)


def fault_of(version: TypeVersion, department: Department, on: date) -> Fault | None:
    """Return what keeps a department from issuing a type on a day."""
    if may_issue(version, department.pk, on):
        return None
    text = _("%(department)s今天不在“%(name)s”的签发机构之列，不能签发。请联系维护部门%(keeper)s登记为签发机构。")
    words = {"department": department.name, "name": version.name, "keeper": version.department.name}
    return Fault("department", "license.not_entrusted", text % words)


def check_entrusted(version: TypeVersion, department: Department, on: date) -> None:
    """Refuse a department that may not issue a type."""
    if fault := fault_of(version, department, on):
        raise Forbidden(fault.code, fault.message)


def types_of(department_id: int | None) -> QuerySet[TypeVersion]:
    """Return the versions of the types a department keeps or was ever entrusted with."""
    own = TypeOffice.objects.filter(type_code=OuterRef("code"), department_id=department_id or 0, effective__isnull=False)
    return TypeVersion.objects.filter(Q(department_id=department_id or 0) | Exists(own))


def issuable_by(department_id: int | None, on: date) -> QuerySet[TypeVersion]:
    """Return the versions in force on a day of the types a department may issue then."""
    own = entrusted(on).filter(type_code=OuterRef("code"), department_id=department_id or 0)
    return TypeVersion.objects.filter(Q(department_id=department_id or 0) | Exists(own), effective__contains=on)


def office_in(version: TypeVersion, region_code: str, on: date) -> Department | None:
    """Return the office entrusted with a type for a division: of the county itself, else of the city around it."""
    found = entrusted(on).filter(type_code=version.code).select_related("department__region").order_by("id")
    near = [one.department for one in found if region_code.startswith(one.department.region.code)]
    return max(near, key=lambda department: len(department.region.code), default=None)


def visible_to(actor: Actor) -> QuerySet[TypeOffice]:
    """What was confirmed is every signed-in person's; proposals the keeper's, the office's, the data centre's and the auditor's."""
    rows = TypeOffice.objects.select_related("department__region", "proposed_by", "confirmed_by", "ended_by")
    if actor.has(Role.AUDIT_ADMINISTRATOR) or (actor.is_data_centre and actor.has(Role.REVIEWER)):
        return rows
    own = actor.department_id or 0
    kept = TypeVersion.objects.filter(code=OuterRef("type_code"), department_id=own)
    return rows.filter(Q(effective__isnull=False) | Q(department_id=own) | Exists(kept))


def get_visible(uid: UUID, actor: Actor) -> TypeOffice:
    """Return an office of a type the actor may see, or raise NotFound."""
    found = visible_to(actor).filter(uid=uid).first()
    if found is None:
        raise not_found()
    return found


def not_found() -> NotFound:
    """One that does not exist and one that may not be seen are told alike."""
    return NotFound("license_office.not_found", _("没有这条签发机构登记，或您无权查看。"))
