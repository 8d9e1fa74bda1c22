"""Authorization from above: who routes where, what an approval needs, what a receipt may and may not change."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from core.errors import Conflict, Forbidden, Invalid, NotFound
from exchange.models import AccessRequest, Grant, UpstreamAuthorization, UpstreamInterface, UpstreamReceipt, UpstreamRelay
from exchange.requests.access_requests import carry_out, edit
from exchange.requests.request_terms import Terms
from exchange.requests.routing import SharingTerms, route_of
from exchange.requests.workflow import Command, Route
from exchange.upstream import authorizations, relays, sending
from exchange.upstream.relays import NEXT
from tests import factories
from tests.factories import City


def authorize(city: City, resource: Any, now: datetime, **values: Any) -> UpstreamAuthorization:
    given: dict[str, Any] = {
        "kind": "PER_CASE",
        "authority": "上级部委",
        "document_number": "授函〔2026〕1号",
        "terms": "仅限入学资格核验",
        "valid_from": now.date() - timedelta(days=1),
        "valid_to": now.date() + timedelta(days=500),
    }
    return authorizations.register(resource_uid=resource.uid, actor=city.actor("reviewer"), now=now, **given | values)


@pytest.fixture
def cleared(city: City, now: datetime) -> AccessRequest:
    """A request that has reached the data centre, for a resource authorized per case."""
    resource = factories.make_resource(city.police)
    authorize(city, resource, now)
    values = {"state": "CLEARED", "desk": "DATA_CENTRE", "route": "PROVIDER_FIRST"}
    return factories.make_request(resource, factories.make_system(city.education), city.people["education_operator"], **values)


def approve(city: City, access_request: AccessRequest, now: datetime) -> AccessRequest:
    return carry_out(request_uid=access_request.uid, command=Command.APPROVE, actor=city.actor("reviewer"), now=now)


def report(city: City, access_request: AccessRequest, now: datetime, number: str = "宁数函〔2026〕8号") -> UpstreamRelay:
    return relays.report(request_uid=access_request.uid, document_number=number, actor=city.actor("reviewer"), now=now)


def receipt(city: City, access_request: AccessRequest, now: datetime, state: int, number: str = "部复〔2026〕9号") -> UpstreamRelay:
    return relays.record_receipt(
        request_uid=access_request.uid, state=state, document_number=number, actor=city.actor("reviewer"), now=now
    )


@pytest.mark.parametrize(
    ("kind", "route"),
    [("BLANKET", Route.DATA_CENTRE_ALONE), ("PER_CASE", Route.PROVIDER_FIRST), ("", Route.PROVIDER_FIRST)],
)
def test_only_a_blanket_authorization_lets_the_data_centre_grant_alone(kind: str, route: Route) -> None:
    assert route_of(SharingTerms("CONDITIONAL", has_control_parameters=True, authorization_from_above=kind)) is route


def test_a_per_case_request_is_not_granted_before_the_authority_above_agreed(
    city: City, cleared: AccessRequest, now: datetime
) -> None:
    for state in (None, 1, 3):
        if state == 1:
            report(city, cleared, now)
        elif state:
            receipt(city, cleared, now, state)
        with pytest.raises(Conflict) as refused:
            approve(city, cleared, now)
        assert refused.value.code == "upstream.not_approved"
    assert not Grant.objects.exists()
    report(city, cleared, now)
    receipt(city, cleared, now, 5)
    approve(city, cleared, now)
    assert Grant.objects.get().access_request_id == cleared.pk
    assert list(UpstreamReceipt.objects.values_list("state", flat=True)) == [1, 3, 1, 5]


def test_a_grant_does_not_outlive_its_authorization(city: City, cleared: AccessRequest, now: datetime) -> None:
    UpstreamAuthorization.objects.update(kind="BLANKET", valid_to=cleared.term_to - timedelta(days=1))
    with pytest.raises(Conflict) as refused:
        approve(city, cleared, now)
    assert refused.value.code == "upstream.term_beyond"
    UpstreamAuthorization.objects.update(valid_from=date(2020, 1, 1), valid_to=now.date() - timedelta(days=1))
    with pytest.raises(Conflict) as refused:
        approve(city, cleared, now)
    assert refused.value.code == "upstream.authorization_ended"


def test_a_receipt_never_moves_our_own_request(city: City, cleared: AccessRequest, now: datetime) -> None:
    report(city, cleared, now)
    receipt(city, cleared, now, 8)
    cleared.refresh_from_db()
    assert (cleared.state, cleared.revision) == ("CLEARED", 1)


@pytest.mark.parametrize("held", list(NEXT))
def test_no_answer_is_taken_that_cannot_follow(city: City, cleared: AccessRequest, now: datetime, held: int) -> None:
    report(city, cleared, now)
    UpstreamRelay.objects.update(state=held)
    for state in set(NEXT) - NEXT[held] - {1}:
        with pytest.raises(Conflict), transaction.atomic():
            receipt(city, cleared, now, state)
    assert UpstreamReceipt.objects.count() == 1
    assert UpstreamRelay.objects.get().state == held


def test_a_receipt_needs_its_document(city: City, cleared: AccessRequest, now: datetime) -> None:
    report(city, cleared, now)
    with pytest.raises(Invalid) as refused, transaction.atomic():
        receipt(city, cleared, now, 5, number=" ")
    assert "document_number" in refused.value.details
    assert UpstreamRelay.objects.get().state == 1


def test_receipts_are_never_changed(city: City, cleared: AccessRequest, now: datetime) -> None:
    report(city, cleared, now)
    with pytest.raises(DatabaseError), transaction.atomic():
        UpstreamReceipt.objects.update(state=5)


def test_only_the_data_centre_relays_and_only_what_reached_it(city: City, cleared: AccessRequest, now: datetime) -> None:
    for who, error in [("police_head", Forbidden), ("education_head", Forbidden), ("market_head", NotFound)]:
        AccessRequest.objects.update(state="CLEARED")
        with pytest.raises((error, NotFound)):
            relays.report(request_uid=cleared.uid, document_number="1", actor=city.actor(who), now=now)
    AccessRequest.objects.update(state="ENDORSED")
    with pytest.raises(Conflict) as refused:
        report(city, cleared, now)
    assert refused.value.code == "upstream.not_cleared"
    assert not UpstreamRelay.objects.exists()


def test_an_interface_may_tell_the_same_twice_and_nothing_out_of_order(city: City, cleared: AccessRequest, now: datetime) -> None:
    relay = report(city, cleared, now)
    told = {"relay_uid": relay.uid, "receipt_number": "", "actor": city.actor("reviewer"), "now": now}
    assert relays.receive(state=1, external_id="UP-1", **told)
    assert not relays.receive(state=1, external_id="UP-1", **told)
    assert relays.receive(state=5, external_id="UP-1", **told)
    assert not relays.receive(state=5, external_id="", **told)
    with pytest.raises(Conflict):
        relays.receive(state=3, external_id="UP-1", **told)
    relay.refresh_from_db()
    assert (relay.state, relay.external_id) == (5, "UP-1")


def test_what_was_widened_after_it_was_reported_is_reported_again(city: City, cleared: AccessRequest, now: datetime) -> None:
    """The authority above agreed to what it was told, not to what was asked for afterwards."""
    first = report(city, cleared, now)
    receipt(city, cleared, now, 5)
    carry_out(request_uid=cleared.uid, command=Command.RETURN, actor=city.actor("reviewer"), now=now, reason="缺依据")
    later = now + timedelta(minutes=1)
    made = AccessRequest.objects.get(pk=cleared.pk)
    terms = Terms(
        system=str(made.system.uid), mode=made.mode, fields=tuple(made.fields), purpose="招生宣传", legal_basis=made.legal_basis,
        scenario=made.scenario, term_from=made.term_from, term_to=made.term_to, quota_per_day=made.quota_per_day,
    )  # fmt: skip
    operator = city.actor("education_operator")
    made = edit(request_uid=made.uid, revision=made.revision, terms=terms, actor=operator, now=later, submit=True)
    steps = [(Command.ENDORSE, "education_head"), (Command.CHECK, "police_operator"), (Command.CLEAR, "police_head")]
    for command, name in steps:
        carry_out(request_uid=made.uid, command=command, actor=city.actor(name), now=later)
    with pytest.raises(Conflict) as refused:
        approve(city, made, later)
    assert refused.value.code == "upstream.changed_since"
    assert not Grant.objects.exists()
    again = report(city, made, later + timedelta(minutes=1), number="宁数函〔2026〕9号")
    assert again.idempotency_key != first.idempotency_key  # another question, which is not answered by the first one's answer
    with pytest.raises(Conflict):
        approve(city, made, later)
    receipt(city, made, later, 5)
    approve(city, made, later)
    assert Grant.objects.get().purpose == "招生宣传"


@pytest.mark.parametrize(
    "values",
    [{"state": "WITHDRAWN"}, {"state": "REFUSED", "refusal_reason": "超出职责"}, {"state": "RETURNED", "returned_from": "CLEARED"}],
)
def test_what_does_not_wait_for_above_any_more_is_not_sent_there(
    city: City, cleared: AccessRequest, now: datetime, values: dict[str, str]
) -> None:
    interface = UpstreamInterface.objects.create(
        title="转报",
        authority="上级部委",
        department=city.centre,
        url="http://127.0.0.1:9/",
        columns=[],
        request_map={},
        answer_map={},
    )
    UpstreamAuthorization.objects.update(relay_interface=interface)
    report(city, cleared, now)
    assert list(sending.waiting()) == [UpstreamRelay.objects.get()]
    AccessRequest.objects.update(**values)
    assert not sending.waiting()
