"""The list of uses: proposed by the operator, published by another, asked by whoever reads licenses for a matter."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import Conflict, Forbidden, Invalid
from licenses.models import TypeUse
from licenses.types import uses
from licenses.types.publishing import today
from licenses.types.uses import allowed_items
from tests.factories import City
from tests.licenses.types_scene import draft_type, proposed_use, published_type


def test_a_line_allows_its_items_from_its_publication_to_its_end(city: City, now: datetime) -> None:
    version = published_type(city, now)
    use = proposed_use(city, version, now)
    day = today(now)
    assert allowed_items(version.code, "资格核验", day) == set()
    uses.publish(uid=use.uid, actor=city.actor("police_head"), now=now)
    other = proposed_use(city, version, now, purpose="统计", items=("license.number",))
    uses.publish(uid=other.uid, actor=city.actor("police_head"), now=now)
    assert allowed_items(version.code, "资格核验", day) == {"name", "level", "license.number"}
    assert allowed_items(version.code, "别的事项", day) == set()
    assert allowed_items(version.code, "资格核验", day - timedelta(days=1)) == set()
    uses.end(uid=use.uid, reason="不再需要", actor=city.actor("reviewer"), now=now + timedelta(days=1))
    assert allowed_items(version.code, "资格核验", day) == {"name", "level", "license.number"}
    assert allowed_items(version.code, "资格核验", day + timedelta(days=1)) == {"license.number"}


@pytest.mark.parametrize(
    ("values", "field"),
    [({"matter": " "}, "matter"), ({"basis": ""}, "basis"), ({"items": ()}, "items"), ({"items": ("nobody",)}, "items")],
)
def test_a_wrong_line_is_refused_naming_the_field(city: City, now: datetime, values: dict[str, Any], field: str) -> None:
    version = published_type(city, now)
    with pytest.raises(Invalid) as refused:
        proposed_use(city, version, now, **values)
    assert field in refused.value.details
    assert not TypeUse.objects.exists()


def test_lines_are_published_by_another_and_once(city: City, now: datetime) -> None:
    version = published_type(city, now)
    use, again = proposed_use(city, version, now), proposed_use(city, version, now)
    for who in ("police_operator", "market_head", "reviewer"):
        with pytest.raises(Exception, match="license_use"):
            uses.publish(uid=use.uid, actor=city.actor(who), now=now)
    uses.publish(uid=use.uid, actor=city.actor("police_head"), now=now)
    with pytest.raises(Conflict) as published:
        uses.publish(uid=use.uid, actor=city.actor("police_head"), now=now)
    assert published.value.code == "license_use.not_proposed"
    with pytest.raises(Conflict) as taken:
        uses.publish(uid=again.uid, actor=city.actor("police_head"), now=now)
    assert taken.value.code == "license_use.taken"
    uses.end(uid=again.uid, reason="重复", actor=city.actor("police_operator"), now=now)
    with pytest.raises(Forbidden):
        uses.end(uid=use.uid, reason="x", actor=city.actor("police_operator"), now=now)


def test_a_type_that_is_only_drafted_has_no_uses(city: City, now: datetime) -> None:
    version = draft_type(city, now)
    with pytest.raises(Exception, match="not_in_force"):
        proposed_use(city, version, now)
