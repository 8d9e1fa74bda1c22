"""Routing: the whole table of sharing terms."""

from __future__ import annotations

from itertools import product

import pytest

from core.errors import Conflict
from exchange.requests.routing import SharingTerms, route_of
from exchange.requests.workflow import Route

EVERY_SIDE_TERM = [*product(["", "POPULATION"], [False, True], [False, True])]


@pytest.mark.parametrize(("base", "mounted", "controlled"), EVERY_SIDE_TERM)
def test_withheld_cannot_be_requested_whatever_else_holds(base: str, mounted: bool, controlled: bool) -> None:
    with pytest.raises(Conflict) as refusal:
        route_of(SharingTerms("WITHHELD", base, mounted, controlled))
    assert refusal.value.code == "resource.withheld"


@pytest.mark.parametrize(("attribute", "controlled"), [*product(["UNCONDITIONAL", "CONDITIONAL"], [False, True])])
def test_what_is_published_from_a_base_database_goes_to_the_data_centre_alone(attribute: str, controlled: bool) -> None:
    assert route_of(SharingTerms(attribute, "POPULATION", True, controlled)) is Route.DATA_CENTRE_ALONE


@pytest.mark.parametrize(
    ("attribute", "base", "mounted", "controlled", "route"),
    [
        ("UNCONDITIONAL", "", False, False, Route.DATA_CENTRE_ALONE),
        ("UNCONDITIONAL", "", True, False, Route.DATA_CENTRE_ALONE),
        ("UNCONDITIONAL", "", False, True, Route.PROVIDER_FIRST),
        ("UNCONDITIONAL", "POPULATION", False, True, Route.PROVIDER_FIRST),
        ("CONDITIONAL", "", True, False, Route.PROVIDER_FIRST),
        ("CONDITIONAL", "", True, True, Route.PROVIDER_FIRST),
        ("CONDITIONAL", "POPULATION", False, False, Route.PROVIDER_FIRST),
    ],
)
def test_everything_else_follows_the_table(attribute: str, base: str, mounted: bool, controlled: bool, route: Route) -> None:
    assert route_of(SharingTerms(attribute, base, mounted, controlled)) is route
