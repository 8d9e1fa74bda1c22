"""Names for figures (名称对照): what the numbers of departments, systems and resources in a roll-up are called today."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.models import Resource
from core.models import Department
from exchange.models import ConsumerSystem
from exchange.statistics.figures import Figures


@dataclass(frozen=True, slots=True)
class Names:
    """Number of a row -> its name. A grant that was not recognized has no resource and no provider."""

    departments: Mapping[int | None, str]
    systems: Mapping[int | None, str]
    resources: Mapping[int | None, str]
    resource_codes: Mapping[int | None, str]


def names_of(found: Figures) -> Names:
    """Return the names of everything that occurs in figures: three queries whatever their size."""
    providers = {provider for _, provider in found.services}
    consumers = {department for department, _ in found.consumers}
    resources = Resource.objects.filter(pk__in=_known(resource for resource, _ in found.services))
    titles = list(resources.values_list("pk", "title", "code"))
    return Names(
        departments=_named(Department, "short_name", providers | consumers),
        systems=_named(ConsumerSystem, "name", {system for _, system in found.consumers}),
        resources={pk: title for pk, title, _ in titles},
        resource_codes={pk: code or "" for pk, _, code in titles},
    )


def _known(numbers: Iterable[int | None]) -> list[int]:
    return [number for number in numbers if number is not None]


def _named(model: Any, column: str, numbers: Iterable[int | None]) -> dict[int | None, str]:
    return dict(model._default_manager.filter(pk__in=_known(numbers)).values_list("pk", column))
