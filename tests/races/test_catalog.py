"""Two people at once at the data centre: codes stay unique, an entry is published once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from catalog import publishing
from catalog.models import Resource, ResourceVersion
from core.errors import Conflict
from core.models import AuditEntry
from tests.factories import City, make_city, make_resource
from tests.races.test_decisions import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def endorsed(city: City) -> Resource:
    return make_resource(city.police, published=False, state="ENDORSED", base_database="POPULATION")


def publisher(city: City, resource: Resource) -> Callable[[], Resource]:
    actor = city.actor("reviewer")
    return lambda: publishing.publish(uid=resource.uid, revision=1, actor=actor, now=timezone.now())


def test_entries_published_at_the_same_moment_get_codes_of_their_own() -> None:
    city = make_city()
    results = at_once(*[publisher(city, endorsed(city)) for _ in range(6)])
    assert sorted(r.code for r in results) == [f"101001/{number:06d}" for number in range(1, 7)]


def test_the_same_entry_is_published_once() -> None:
    city = make_city()
    resource = endorsed(city)
    results = at_once(*[publisher(city, resource) for _ in range(4)])
    assert sum(isinstance(r, Conflict) for r in results) == 3
    assert ResourceVersion.objects.filter(resource=resource).count() == 1
    assert AuditEntry.objects.filter(action="resource.published").count() == 1


def test_a_change_and_the_withdrawal_of_its_entry_do_not_block_each_other_for_good() -> None:
    city = make_city()
    original = make_resource(city.police, base_database="POPULATION")
    change = publishing.start_change(uid=original.uid, revision=1, actor=city.actor("police_operator"), now=timezone.now())
    Resource.objects.filter(pk=change.pk).update(state="ENDORSED")
    reviewer = city.actor("reviewer")
    results = at_once(
        publisher(city, change),
        lambda: publishing.withdraw(uid=original.uid, revision=1, reason="停办", actor=reviewer, now=timezone.now()),
    )
    assert sum(isinstance(r, Conflict) for r in results) == 1
    original.refresh_from_db()
    assert original.state in ("PUBLISHED", "WITHDRAWN")
