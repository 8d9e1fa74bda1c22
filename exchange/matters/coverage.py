"""Which grants a matter needs and has (授权对照): for every department that handles it and every material that can be fetched.

Read from grants and what their resources are mounted on. Whether a call would be answered at a moment is decided when it is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from basedb.dictionary.licenses import LICENSE
from basedb.masking import Mask
from catalog.models import Binding, Resource, ResourceState, ShareAttribute
from core.models import Department
from exchange.matters.content import FACE
from exchange.matters.planning import MODE
from exchange.models import Grant, GrantState, Material, MaterialSource, Matter


@dataclass(frozen=True, slots=True)
class Standing:
    """How a department stands with a material: covered, partly, missing. `resource` is what it would ask for, and which items."""

    material: Material
    state: str
    missing: tuple[str, ...]
    grant: Grant | None
    resource: Resource | None
    ask_items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A department with its standings."""

    department: Department
    standings: list[Standing]

    @property
    def is_complete(self) -> bool:
        """Whether everything that can be fetched may be fetched."""
        return all(standing.state == "COVERED" for standing in self.standings)


def lines(matter: Matter, now: datetime) -> list[Line]:
    """Return every handling department with its standings; five queries whatever their number."""
    departments = Department.objects.filter(pk__in=[matter.department_id, *matter.consumers]).order_by("code")
    materials = list(matter.materials.exclude(source=MaterialSource.SUBMIT).select_related("party"))
    datasets = {dataset_of(material) for material in materials}
    bindings = list(
        Binding.objects.filter(dataset__in=datasets, resource__state=ResourceState.PUBLISHED).select_related("resource__provider")
    )
    grants = _grants(bindings, [department.pk for department in departments], now)
    offers = _offers(bindings)
    return [
        Line(department, [_standing(one, grants.get((department.pk, dataset_of(one)), []), offers) for one in materials])
        for department in departments
    ]


def dataset_of(material: Material) -> str:
    """Return the dataset a material is fetched from."""
    return material.dataset or LICENSE.code


_Held = list[tuple[Grant, Mapping[str, str]]]


def _grants(bindings: Iterable[Binding], department_ids: list[int], now: datetime) -> dict[tuple[int, str], _Held]:
    """Return the query grants in force by department and dataset, each with its columns (item -> field)."""
    by_resource = {binding.resource_id: binding for binding in bindings}
    rows = Grant.objects.filter(
        system__department_id__in=department_ids, resource_id__in=by_resource, mode=MODE, state=GrantState.ACTIVE,
        valid_from__lte=now, valid_to__gt=now, system__is_active=True,
    ).select_related("system")  # fmt: skip
    found: dict[tuple[int, str], _Held] = defaultdict(list)
    for grant in rows.order_by("id"):
        binding = by_resource[grant.resource_id]
        found[grant.system.department_id, binding.dataset].append((grant, binding.columns))
    return found


def _offers(bindings: Iterable[Binding]) -> dict[str, Binding]:
    """Return what is asked for where a dataset is needed: the oldest published resource that may be queried."""
    offers: dict[str, Binding] = {}
    for binding in sorted(bindings, key=lambda one: one.resource_id):
        resource = binding.resource
        if MODE in resource.sharing_modes and resource.share_attribute != ShareAttribute.WITHHELD:
            offers.setdefault(binding.dataset, binding)
    return offers


def _needed(material: Material) -> list[str]:
    """Return the fields a material needs; face items all need the face."""
    return list(dict.fromkeys(FACE if item.startswith(f"{FACE}.") else item for item in material.items))


def _standing(material: Material, held: _Held, offers: Mapping[str, Binding]) -> Standing:
    best, missing = None, _needed(material)
    for grant, columns in held:
        shown = {columns.get(item) for item in grant.fields if grant.masks.get(item) != Mask.HIDDEN}
        left = [field for field in _needed(material) if field not in shown]
        if not _reaches(grant, columns, material.type_code) or len(left) == len(_needed(material)):
            continue
        if best is None or len(left) <= len(missing):
            best, missing = grant, left
    offer = offers.get(dataset_of(material))
    items: tuple[str, ...] = ()
    if offer is not None:
        items = tuple(item for item, field in offer.columns.items() if field in _needed(material))
    state = "COVERED" if best and not missing else "PARTLY" if best else "MISSING"
    return Standing(material, state, tuple(missing), best, offer.resource if offer else None, items)


def _reaches(grant: Grant, columns: Mapping[str, Any], type_code: str) -> bool:
    """Return whether the row filter of a grant lets through licenses of a type."""
    rules = [rule for rule in grant.row_filter if rule.get("kind") == "list" and columns.get(rule.get("item")) == "type_code"]
    return not type_code or all(type_code in rule.get("values", ()) for rule in rules)


def offered(matter: Matter, material_code: str) -> tuple[UUID, tuple[str, ...]] | None:
    """Return the resource to ask for and its items for one material; None when nobody offers it."""
    material = matter.materials.filter(Q(code=material_code) & ~Q(source=MaterialSource.SUBMIT)).first()
    if material is None:
        return None
    bindings = Binding.objects.filter(dataset=dataset_of(material), resource__state=ResourceState.PUBLISHED)
    offer = _offers(bindings.select_related("resource")).get(dataset_of(material))
    if offer is None:
        return None
    return offer.resource.uid, tuple(item for item, field in offer.columns.items() if field in _needed(material))
