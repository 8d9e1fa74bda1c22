"""Who should have issued a license (应颁发部门): by type and region, following departments to their successors."""

from __future__ import annotations

from datetime import date
from typing import Final

from core.models import Department
from licenses.models import License, TypeState, TypeVersion
from licenses.types import offices

_GENERATIONS_AT_MOST: Final = 20


def provider_of(type_code: str, region_code: str, subject_key: bytes, on: date) -> Department | None:
    """Return whoever issued it to the holder, or the type in the region last, and still may; else the office entrusted there.

    Without one it is whoever keeps the type; what nobody keeps the data centre hands over.
    """
    issued = License.objects.filter(type_code=type_code).select_related("issuer").order_by("-id")
    keeper = TypeVersion.objects.filter(code=type_code, state=TypeState.PUBLISHED).select_related("department").last()
    for near in (issued.filter(holders__subject_key=subject_key), issued.filter(region_code=region_code)):
        issuer = next((_living(license.issuer) for license in near[:1]), None)
        if issuer is not None and (keeper is None or offices.may_issue(keeper, issuer.pk, on)):
            return issuer
    if keeper is not None:
        return _living(offices.office_in(keeper, region_code, on) or keeper.department)
    anywhere = issued.first()
    if anywhere is not None:
        return _living(anywhere.issuer)
    return Department.objects.filter(is_data_centre=True, valid_to=None).order_by("pk").first()


def _living(department: Department) -> Department:
    for _generation in range(_GENERATIONS_AT_MOST):
        if department.valid_to is None or department.successor is None:
            break
        department = department.successor
    return department
