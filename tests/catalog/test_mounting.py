"""Mounting an entry on a dataset of a base database."""

from __future__ import annotations

import pytest
from django.utils import timezone

from catalog import mounting
from catalog.models import Binding, Resource
from core.errors import Forbidden, Invalid, NotFound
from core.models import AuditEntry
from tests.factories import City, make_resource

COLUMNS = {"citizen_id": "citizen_id", "name": "name", "sex": "sex", "address": "address"}


def unmounted(city: City, **values: object) -> Resource:
    return make_resource(city.police, published=False, **values)


def mount(
    city: City, resource: Resource, who: str, *, columns: dict[str, str] = COLUMNS, dataset: str = "population.person"
) -> Binding:
    return mounting.mount(
        uid=resource.uid,
        dataset_code=dataset,
        columns=columns,
        revision=resource.revision,
        actor=city.actor(who),
        now=timezone.now(),
    )


def test_a_draft_is_mounted_item_by_item(city: City) -> None:
    resource = unmounted(city)
    binding = mount(city, resource, "police_operator")
    assert (binding.dataset, binding.columns) == ("population.person", COLUMNS)
    entry = AuditEntry.objects.get(action="resource.mounted")
    assert entry.department_ids == [city.police.pk]
    assert entry.detail["dataset"] == "population.person"


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        (COLUMNS | {"name": "no_such_column"}, "name"),
        ({"citizen_id": "citizen_id"}, "name"),
        (COLUMNS | {"unknown": "phone"}, "unknown"),
        (COLUMNS | {"name": "sex"}, "columns"),
    ],
)
def test_a_wrong_mapping_is_refused_and_nothing_is_mounted(city: City, columns: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        mount(city, unmounted(city), "police_operator", columns=columns)
    assert field in refused.value.details
    assert not Binding.objects.exists()
    assert not AuditEntry.objects.exists()


def test_an_item_graded_lower_than_its_column_is_refused(city: City) -> None:
    resource = unmounted(city)
    resource.items.filter(name="citizen_id").update(grade="L1")
    with pytest.raises(Invalid) as refused:
        mount(city, resource, "police_operator")
    assert "citizen_id" in refused.value.details


def test_an_item_that_is_not_shared_needs_no_column(city: City) -> None:
    resource = unmounted(city)
    resource.items.filter(name="address").update(is_withheld=True)
    binding = mount(city, resource, "police_operator", columns={k: v for k, v in COLUMNS.items() if k != "address"})
    assert "address" not in binding.columns


def test_an_unknown_dataset_is_refused(city: City) -> None:
    with pytest.raises(Invalid):
        mount(city, unmounted(city), "police_operator", dataset="pg_catalog.pg_authid")


def test_after_publication_the_data_centre_alone_mounts(city: City) -> None:
    resource = make_resource(city.police)
    with pytest.raises(Forbidden):
        mount(city, resource, "police_operator")
    with pytest.raises(Forbidden):
        mount(city, resource, "education_operator")
    assert mount(city, resource, "reviewer").columns == COLUMNS


def test_a_draft_of_another_department_cannot_be_mounted(city: City) -> None:
    with pytest.raises(NotFound):
        mount(city, unmounted(city), "education_operator")
