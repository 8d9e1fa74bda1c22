"""Minimisation (最小必要): whatever a grant says, answers hold its fields and its rows, and the SQL reads nothing else."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb.dictionary import DATASETS
from basedb.lookup import copy_sql, inside_sql, row_sql, select
from basedb.masking import OF_GEOMETRY, Mask, mask_value
from basedb.models import Person
from catalog.models import Binding, Resource
from exchange.calls import connections
from exchange.models import Grant, GrantSubject
from tests import factories
from tests.hotpath import partner as partners
from tests.hotpath.records import outcomes_of
from tests.hotpath.refused import check_refused
from tests.hotpath.scene import Scene
from tests.hotpath.test_budget import watched

PERSON = DATASETS["population.person"]
QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

fields = st.lists(
    st.tuples(st.sampled_from(PERSON.field_names), st.sampled_from([mask for mask in Mask if mask not in OF_GEOMETRY])),
    min_size=1,
    max_size=6,
    unique_by=lambda p: p[0],
)
rules = st.lists(
    st.tuples(
        st.sampled_from(["name", "sex", "person_status", "region_code"]),
        st.lists(st.sampled_from(["1", "2", "0", "张三丰", "李四", "320102", "320104001", "x'); --"]), min_size=1, unique=True),
    ),
    max_size=3,
    unique_by=lambda rule: rule[0],
)
prefixes = st.sampled_from(["", "32", "320102", "320104", "99"])


@pytest.fixture(scope="module")
def resource(scene: Scene) -> Resource:
    """A resource that offers every field of the population table under its own name."""
    made = factories.make_resource(scene.city.police)
    Binding.objects.filter(resource=made).update(columns={name: name for name in PERSON.field_names})
    return made


def is_inside(person: Person, prefix: str, listed: list[tuple[str, list[str]]], clients: list[Person] | None) -> bool:
    """The rows of a grant, said once more without SQL."""
    in_lists = all(getattr(person, field) in values for field, values in listed)
    return person.region_code.startswith(prefix) and in_lists and (clients is None or person in clients)


def row_filter(listed: list[tuple[str, list[str]]], clients: list[Person] | None) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [{"kind": "list", "item": field, "values": values} for field, values in listed]
    return made + ([{"kind": "own_clients"}] if clients is not None else [])


def templates_of(statements: list[str]) -> list[str]:
    """Return what was executed: of a prepared statement, the text it was prepared from."""
    by_name = {name: template for template, (name, _) in connections._session().prepared.items()}
    executed = [re.match(r"EXECUTE (call_\d+)", sql) for sql in statements]
    return [by_name[match[1]] if match else sql for match, sql in zip(executed, statements, strict=True)]


def enlist(grant: Grant, clients: list[Person] | None) -> None:
    for person in clients or []:
        GrantSubject.objects.create(grant=grant, subject_key=bytes(person.subject_key))


@QUIET
@given(pairs=fields, limits=st.tuples(rules, prefixes), chosen=st.data())
def test_answers_stay_within_fields_masks_and_rows_of_a_random_grant(
    scene: Scene, resource: Resource, pairs: list[tuple[str, Mask]], limits: Any, chosen: st.DataObject
) -> None:
    listed, prefix = limits
    clients = chosen.draw(st.none() | st.lists(st.sampled_from(scene.people), unique=True))
    person = chosen.draw(st.sampled_from(scene.people))
    grant = partners.grant_to(
        scene.partner, resource, scene.city, fields=[name for name, _ in pairs], masks=dict(pairs), region_prefix=prefix,
        row_filter=row_filter(listed, clients), quota_per_second=1000,
    )  # fmt: skip
    enlist(grant, clients)
    with watched() as (statements, commands):
        reply = scene.partner.query(grant, person.citizen_id)
    assert reply.status == 200
    assert len(commands) == 1
    template = templates_of(statements)[-1]
    assert PERSON.table in template
    read = set(re.findall(r"found\.([a-z_]+)", template))
    assert read <= {name for name, _ in pairs} | {field for field, _ in listed} | {
        "subject_key",
        "withdrawn_at",
        PERSON.region_field,
    }
    assert "found.*" not in template
    if not is_inside(person, prefix, listed, clients):
        assert (reply.json["status"], reply.json["data"]) == ("not_found", None)
        return
    assert list(reply.json["data"]) == [name for name, _ in pairs]
    for name, mask in pairs:
        stored = getattr(person, name)
        shown = stored.isoformat() if hasattr(stored, "isoformat") else stored
        assert reply.json["data"][name] == mask_value(mask, shown)


@QUIET
@given(listed=rules, prefix=prefixes, chosen=st.data())
def test_bulk_answers_hold_exactly_the_rows_of_a_random_grant(
    scene: Scene, resource: Resource, listed: Any, prefix: str, chosen: st.DataObject
) -> None:
    clients = chosen.draw(st.none() | st.lists(st.sampled_from(scene.people), unique=True))
    grant = partners.grant_to(
        scene.partner, resource, scene.city, mode="BULK", fields=["citizen_id"], masks={}, region_prefix=prefix,
        row_filter=row_filter(listed, clients), quota_per_second=1000,
    )  # fmt: skip
    enlist(grant, clients)
    rows = list(csv.DictReader(io.StringIO(scene.partner.call(grant, "bulk", {}).body.decode())))
    inside = {person.citizen_id for person in scene.people if is_inside(person, prefix, listed, clients)}
    assert {row["citizen_id"] for row in rows} == inside


def test_verification_compares_nobody_outside_the_rows(scene: Scene, resource: Resource) -> None:
    rows = [{"kind": "list", "item": "sex", "values": ["2"]}]
    grant = partners.grant_to(scene.partner, resource, scene.city, mode="VERIFY", fields=["name"], row_filter=rows)
    body = {"key": {"citizen_id": scene.people[0].citizen_id}, "attributes": {"name": "张三丰"}}
    assert scene.partner.call(grant, "verify", body).json["result"] == {"name": "not_available"}


def test_a_filtered_grant_costs_no_more_trips_and_shares_its_statement(scene: Scene, resource: Resource) -> None:
    for values in (["1"], ["1", "2"], ["9"]):
        rows = [{"kind": "list", "item": "sex", "values": values}, {"kind": "own_clients"}]
        grant = partners.grant_to(scene.partner, resource, scene.city, row_filter=rows)
        assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200
    assert len([t for t in connections._session().prepared if "exchange_grantsubject" in t]) == 1
    with watched() as (statements, commands):
        assert scene.partner.query(grant, scene.people[0].citizen_id).status == 200
    assert (len(statements), len(commands)) == (1, 1)


@pytest.mark.parametrize(
    "broken",
    [
        [{"kind": "sql", "text": "true"}],
        [{"kind": "list", "item": "no_such_item", "values": ["1"]}],
        [{"kind": "list", "item": "birth_on", "values": ["1980-05-17"]}],
        [{"kind": "list", "item": "sex"}],
        ["own_clients"],
    ],
)
def test_a_row_filter_nobody_understands_answers_nothing(scene: Scene, resource: Resource, broken: list[Any]) -> None:
    grant = partners.grant_to(scene.partner, resource, scene.city, row_filter=broken)
    check_refused(scene.partner.query(grant, scene.people[0].citizen_id), "grant.unusable")


def test_a_statement_of_a_filtered_selection_cannot_be_built_without_the_values() -> None:
    columns = {name: name for name in PERSON.field_names}
    made = select(dataset=PERSON.code, items=["name"], columns=columns, masks={}, listed=["sex"], is_members_only=True)
    builds: list[Callable[[], str]] = [
        lambda: row_sql(made, subject_key="k", region_prefix="''"),
        lambda: row_sql(made, subject_key="k", region_prefix="''", lists=["x"]),
        lambda: copy_sql(made, region_prefix=""),
        lambda: inside_sql(made.only(["name"]), region_prefix="", members="SELECT 1"),
    ]
    for build in builds:
        with pytest.raises(ValueError):  # noqa: PT011  # zip says it in words of its own
            build()


def test_a_call_with_many_keys_stays_within_the_rows_as_well(scene: Scene, resource: Resource) -> None:
    rows = [{"kind": "list", "item": "name", "values": ["张三丰", "李四"]}, {"kind": "own_clients"}]
    grant = partners.grant_to(scene.partner, resource, scene.city, fields=["name"], masks={}, row_filter=rows)
    enlist(grant, [scene.people[1]])
    body = {"keys": [{"citizen_id": person.citizen_id} for person in scene.people]}
    told = [result["data"] for result in scene.partner.call(grant, "query", body).json["results"]]
    assert told == [None, {"name": "李四"}]


CONTROLLED = {"control_parameters": {"division": ["990101", "990102"]}, "quota_per_day": 1}


@pytest.mark.parametrize(
    ("parameters", "details"),
    [
        (None, {"division": "required"}),
        ({}, {"division": "required"}),
        ({"division": "990103"}, {"division": "not_allowed"}),
        ({"division": "990101", "other": "1"}, {"other": "not_controlled"}),
    ],
)
@pytest.mark.parametrize("mode", ["query", "verify", "bulk"])
def test_a_control_parameter_missing_or_other_reads_no_subject_data(
    scene: Scene, mode: str, parameters: dict[str, str] | None, details: dict[str, str]
) -> None:
    grant = scene.grant(mode=mode.upper(), **CONTROLLED)
    bodies: dict[str, dict[str, Any]] = {"bulk": {}, "query": {"key": {"citizen_id": scene.people[0].citizen_id}}}
    bodies["verify"] = bodies["query"] | {"attributes": {"name": "张三丰"}}
    body = bodies[mode] | ({} if parameters is None else {"parameters": parameters})
    assert scene.partner.call(grant, mode, body).status == 422  # warms what the process remembers
    with watched() as (statements, commands):
        reply = scene.partner.call(grant, mode, body)
    check_refused(reply, "call.control_parameter")
    assert reply.json["details"] == details
    assert commands == []
    assert not [sql for sql in templates_of(statements) if PERSON.table in sql or "exchange_grantsubject" in sql]
    allowed = scene.partner.call(grant, mode, body | {"parameters": {"division": "990102"}})
    assert allowed.status == 200
    assert [code for code in outcomes_of(grant) if not code.startswith("call.c")][-1:] in (["call.answered"], ["call.opened"])


def test_parameters_of_a_grant_that_controls_none_are_refused(scene: Scene) -> None:
    body = {"key": {"citizen_id": scene.people[0].citizen_id}, "parameters": {"division": "990101"}}
    check_refused(scene.partner.call(scene.grant(), "query", body), "call.control_parameter")


@pytest.mark.parametrize(
    ("ip_list", "answered"),
    [
        (["192.0.2.7/32"], True),
        (["198.51.100.0/24", "192.0.2.0/28"], True),
        (["192.0.2.8/29"], False),
        (["2001:db8::/32"], False),
    ],
)
def test_calls_come_from_listed_addresses_only(scene: Scene, ip_list: list[str], answered: bool) -> None:
    reply = scene.partner.query(scene.grant(ip_list=ip_list), scene.people[0].citizen_id)
    assert reply.status == 200 if answered else reply.code == "grant.ip_not_listed"


def test_a_call_names_a_matter_of_its_grant(scene: Scene) -> None:
    grant = scene.grant(matters=["ENROL-1", "ENROL-2"])
    body = {"key": {"citizen_id": scene.people[0].citizen_id}}
    check_refused(scene.partner.call(grant, "query", body), "call.matter_required")
    check_refused(scene.partner.call(grant, "query", body | {"context": {"matter": "OTHER"}}), "grant.matter_not_granted")
    assert scene.partner.call(grant, "query", body | {"context": {"matter": "ENROL-2"}}).status == 200
