"""Highly sensitive data may be verified and nothing else: asked for, issued and called."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import Conflict
from exchange.granting.grants import issue_grant
from exchange.granting.sensitivity import is_verify_only, mode_fault
from exchange.models import Grant
from exchange.requests.request_terms import Offer, items_fault
from tests import factories
from tests.factories import City


@pytest.mark.parametrize("mode", ["QUERY", "BULK", "SUBSCRIBE"])
@pytest.mark.parametrize(
    ("grade", "concerns_minors", "items", "expected"),
    [("L4", False, [], True), ("L3", True, ["L3"], True), ("L3", False, ["L3", "L4"], True), ("L3", False, ["L3"], False)],
)
def test_only_verification_is_offered_of_what_is_highly_sensitive(
    mode: str, grade: str, *, concerns_minors: bool, items: list[str], expected: bool
) -> None:
    found = is_verify_only(grade, concerns_minors=concerns_minors, item_grades=items)
    assert found is expected
    assert bool(mode_fault(mode, is_verify_only=found)) is expected
    assert mode_fault("VERIFY", is_verify_only=found) == ""


def test_a_request_says_so_at_once() -> None:
    offer = Offer(grades={"name": "L3", "illness": "L4"}, withheld=(), modes=("QUERY", "VERIFY"), grade="L3")
    assert items_fault("QUERY", ["name"], offer) == ""
    assert "比对验证" in items_fault("QUERY", ["name", "illness"], offer)
    assert items_fault("VERIFY", ["name", "illness"], offer) == ""


@pytest.mark.parametrize("change", [{"grade": "L4"}, {"concerns_minors": True}])
def test_no_grant_is_issued_that_would_hand_it_out(change: dict[str, Any], city: City, now: Any) -> None:
    resource = factories.make_resource(city.police)
    system, user = factories.make_system(city.education), city.people["education_operator"]
    made = factories.make_request(resource, system, user, mode="QUERY", state="APPROVED", desk="NOBODY")
    for name, value in change.items():
        setattr(resource, name, value)
    resource.save()
    with pytest.raises(Conflict) as refusal:
        issue_grant(access_request=made, actor=city.actor("reviewer"), now=now)
    assert refusal.value.code == "grant.verify_only"
    assert not Grant.objects.exists()


def test_a_map_without_a_shape_is_not_asked_for() -> None:
    offer = Offer(grades={"name": "L1", "outline": "L2"}, withheld=(), modes=("FEATURES", "QUERY"), shapes={"outline"}, grade="L2")
    assert "outline" in items_fault("FEATURES", ["name"], offer)
    assert items_fault("FEATURES", ["name", "outline"], offer) == ""
    assert items_fault("QUERY", ["name"], offer) == ""
