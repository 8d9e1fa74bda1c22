"""Remarks: who writes and reads them, and that a requester learns nothing of private ones."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core.audit_trail import visible_to
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import Notification
from core.roles import Role
from exchange.models import AccessRequest, AccessRequestStep, Remark
from exchange.requests import remarks
from exchange.requests.attachments.shelf import Shelf
from exchange.requests.remark_reading import remarks_visible_to
from tests import factories
from tests.factories import City


@pytest.fixture
def asked(city: City, settings: Any, tmp_path: Path) -> AccessRequest:
    """A request of the education bureau that lies with the police."""
    settings.UPLOAD_DIR = tmp_path
    made = factories.make_request(
        factories.make_resource(city.police), factories.make_system(city.education), city.people["education_operator"],
        state="ENDORSED", desk="PROVIDER_OPERATOR", route="PROVIDER_FIRST",
    )  # fmt: skip
    AccessRequestStep.objects.create(
        access_request=made, at=made.created_at, command="ENDORSE", from_state="SUBMITTED", to_state="ENDORSED",
        actor=city.people["education_head"], actor_name="x", actor_department="x", desk="REQUESTER_HEAD",
    )  # fmt: skip
    return made


def remark(made: AccessRequest, city: City, who: str, now: datetime, *, private: bool = False, text: str = "请说明用途") -> Remark:
    with Shelf() as place:
        return remarks.add(request_uid=made.uid, text=text, is_private=private, actor=city.actor(who), now=now, on=place)


def test_a_public_remark_is_read_by_all_who_see_the_request(city: City, asked: AccessRequest, now: datetime) -> None:
    remark(asked, city, "police_operator", now)
    for who in ("education_operator", "education_head", "police_head", "reviewer", "auditor"):
        assert remarks_visible_to(city.actor(who)).count() == 1, who
    assert not remarks_visible_to(city.actor("market_operator")).exists()
    assert Notification.objects.get().user == city.people["education_operator"]


def test_a_private_remark_is_read_by_the_reviewing_sides_only(city: City, asked: AccessRequest, now: datetime) -> None:
    made = remark(asked, city, "police_operator", now, private=True)
    for who in ("police_operator", "police_head", "reviewer"):
        assert list(remarks_visible_to(city.actor(who))) == [made], who
    city.people["double"] = factories.make_user("double", city.education, Role.OPERATOR, Role.REVIEWER)
    for who in ("education_operator", "education_head", "auditor", "market_operator", "double"):
        assert not remarks_visible_to(city.actor(who)).exists(), who
        assert not visible_to(city.actor(who)).filter(object_uid=str(made.uid)).exists() or who == "auditor"
    assert not Notification.objects.exists()


def test_the_data_centre_asking_for_itself_reads_no_private_remark_on_its_own_request(
    city: City, asked: AccessRequest, now: datetime
) -> None:
    AccessRequest.objects.filter(pk=asked.pk).update(requester=city.centre)
    remark(asked, city, "police_operator", now, private=True)
    assert not remarks_visible_to(city.actor("reviewer")).exists()
    with pytest.raises(Forbidden):
        remark(asked, city, "reviewer", now, private=True)


def test_who_may_write_what(city: City, asked: AccessRequest, now: datetime) -> None:
    for who, private, error in (
        ("education_operator", True, Forbidden), ("education_head", True, Forbidden), ("auditor", False, Forbidden),
        ("market_operator", False, NotFound), ("system_admin", False, NotFound),
    ):  # fmt: skip
        with pytest.raises(error):
            remark(asked, city, who, now, private=private)
    for text in ("", "  ", "字" * 1001, "a\x00"):
        with pytest.raises(Invalid):
            remark(asked, city, "police_operator", now, text=text)
    AccessRequest.objects.filter(pk=asked.pk).update(state="DRAFTED", desk="REQUESTER_OPERATOR")
    with pytest.raises((Conflict, Forbidden)):
        remark(asked, city, "education_operator", now)
    assert not Remark.objects.exists()


def test_a_remark_may_still_be_made_on_a_closed_request(city: City, asked: AccessRequest, now: datetime) -> None:
    AccessRequest.objects.filter(pk=asked.pk).update(state="REFUSED", desk="NOBODY", refusal_reason="x", decided_at=now)
    remark(asked, city, "education_operator", now)
    remark(asked, city, "reviewer", now, private=True)
    assert Remark.objects.count() == 2
