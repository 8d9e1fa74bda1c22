"""Two people act on one license, one draft or one holder at the same moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from core.roles import Role
from licenses.issuing import drafts, states, writing
from licenses.models import DraftKind, License, LicenseEvent
from tests.factories import City, make_user
from tests.licenses.issuing_scene import card_type, issued, make_person, to_sign, values_of
from tests.races.test_decisions import at_once, town

__all__ = ["town"]


def names(results: list[Any]) -> list[str]:
    return sorted(type(result).__name__ for result in results)


@pytest.mark.django_db(transaction=True)
def test_two_signatures_at_once_issue_one_license(town: City, now: datetime) -> None:
    draft = to_sign(town, card_type(town), make_person(town.police), now)
    town.people["second"] = make_user("second", town.market, Role.HEAD)
    actors = [town.actor("market_head"), town.actor("second")]
    results = at_once(*(lambda a=a: drafts.sign(uid=draft.uid, revision=draft.revision, actor=a, now=now) for a in actors))
    assert names(results) == ["Conflict", "License"], results
    assert (License.objects.count(), LicenseEvent.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_drafts_for_one_holder_signed_at_once_issue_one_license(town: City, now: datetime) -> None:
    version, person = card_type(town), make_person(town.police)
    waiting = [to_sign(town, version, person, now) for _ in range(2)]
    head = town.actor("market_head")
    results = at_once(*(lambda d=d: drafts.sign(uid=d.uid, revision=d.revision, actor=head, now=now) for d in waiting))
    assert names(results) == ["Invalid", "License"], results
    assert License.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_and_a_cancellation_do_not_both_win(town: City, now: datetime) -> None:
    person = make_person(town.police)
    license = issued(town, card_type(town), person, now)
    operator, head = town.actor("market_operator"), town.actor("market_head")
    draft = drafts.make_next(
        license_uid=license.uid, kind=DraftKind.CHANGE, values=values_of(person, face={"trade": "焊工"}), reason="换工种", basis="",
        actor=operator, now=now,
    )  # fmt: skip
    draft = drafts.submit(uid=draft.uid, revision=draft.revision, actor=operator, now=now)
    results = at_once(
        lambda: drafts.sign(uid=draft.uid, revision=draft.revision, actor=head, now=now),
        lambda: states.cancel(license_uid=license.uid, reason="离职", basis="第七十条", actor=head, now=now),
    )
    assert names(results) == ["Conflict", "License"], results
    assert License.objects.filter(is_current=True).count() == 1
    assert LicenseEvent.objects.exclude(operation="01").values("license").distinct().count() <= 2


@pytest.mark.django_db(transaction=True)
def test_serials_taken_at_once_are_all_different(town: City, now: datetime) -> None:
    code = "11100000000013338W999"
    results = at_once(
        *(lambda: writing.take_serials(type_code=code, issuer_code=town.market.code, count=3, now=now) for _ in range(4))
    )
    assert len({serial for serials in results for serial in serials}) == 12
