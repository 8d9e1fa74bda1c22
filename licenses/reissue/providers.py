"""Who should have issued a license (应颁发部门): by type and region, following departments to their successors."""

from __future__ import annotations

from typing import Final

from core.models import Department
from licenses.models import License, TypeState, TypeVersion

_GENERATIONS_AT_MOST: Final = 20


def provider_of(type_code: str, region_code: str) -> Department | None:
    """Return whoever issued the type in the region last, else whoever keeps the type, else the data centre to hand it over."""
    issued = License.objects.filter(type_code=type_code).select_related("issuer").order_by("-id")
    same_region = issued.filter(region_code=region_code).first()
    if same_region is not None:
        return _living(same_region.issuer)
    keeper = TypeVersion.objects.filter(code=type_code, state=TypeState.PUBLISHED).select_related("department").last()
    if keeper is not None:
        return _living(keeper.department)
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
