"""Lineage: from a source column to a consumer, its days, who sees what of it, and who waits for a column that broke."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from basedb.models import AuthorityRule, ThematicDataset
from catalog.models import Binding
from core.errors import Invalid, NotFound
from exchange.aggregation import column_breaks, schema_drift
from exchange.aggregation.connectors.terms import Column
from exchange.lineage import impact as impacts
from exchange.lineage import walking
from exchange.lineage.deriving import column_key, key_of
from exchange.lineage.refreshing import Refreshed, refresh
from exchange.lineage.walking import Direction, Lineage, walk
from exchange.models import (
    AggregationPlan,
    AggregationRun,
    BackflowSubscription,
    ColumnBreak,
    Grant,
    GrantState,
    LineageEdge,
    LineageNode,
    NodeKind,
    SourceConnection,
)
from tests.exchange.aggregation_sources import COLUMNS, csv_plan, table_plan
from tests.factories import City, make_grant, make_resource, make_system

FIELD = "field:population.person:name"


@pytest.fixture
def plan(city: City, now: datetime) -> AggregationPlan:
    return csv_plan(city.police, now)


@pytest.fixture
def grant(city: City) -> Grant:
    """The education bureau has name and sex of the police bureau's people."""
    return make_grant(make_resource(city.police), make_system(city.education), city.people["education_operator"])


def down(start: str, city: City, who: str = "reviewer", **values: Any) -> Lineage:
    return walk(starts=[start], direction=Direction.DOWNSTREAM, actor=city.actor(who), **values)


def kinds(lineage: Lineage) -> list[str]:
    order = list(NodeKind)
    return sorted({node.kind for node in lineage.nodes.values()}, key=lambda kind: order.index(NodeKind(kind)))


def test_a_column_leads_to_the_consumer_and_back(city: City, now: datetime, plan: AggregationPlan, grant: Grant) -> None:
    refresh(now=now)
    found = down(column_key(plan, "XM"), city)
    assert kinds(found) == ["COLUMN", "FIELD", "ITEM", "SERVICE", "GRANT", "SYSTEM"]
    assert key_of(NodeKind.GRANT, grant.uid) in found.nodes
    assert found.nodes[key_of(NodeKind.SYSTEM, grant.system.uid)].department == city.education
    masks = [edge.detail["mask"] for edge in found.edges if edge.downstream == key_of(NodeKind.GRANT, grant.uid)]
    assert masks == ["NAME"]
    back = walk(starts=[key_of(NodeKind.GRANT, grant.uid)], direction=Direction.UPSTREAM, actor=city.actor("reviewer"))
    assert {node.title for node in back.nodes.values() if node.kind == NodeKind.COLUMN} == {"XM", "XB"}
    assert key_of(NodeKind.SOURCE, "plan", plan.uid) in back.nodes


def test_a_column_whose_item_is_not_granted_leads_to_no_grant(
    city: City, now: datetime, plan: AggregationPlan, grant: Grant
) -> None:
    refresh(now=now)
    found = down(column_key(plan, "HJDZ"), city)
    assert "SERVICE" in kinds(found)
    assert "GRANT" not in kinds(found)


def test_depth_limits_a_walk(city: City, now: datetime, plan: AggregationPlan, grant: Grant) -> None:
    refresh(now=now)
    assert kinds(down(column_key(plan, "XM"), city, depth=2)) == ["COLUMN", "FIELD", "ITEM"]


def test_sources_of_a_field_stand_in_their_order(city: City, now: datetime, plan: AggregationPlan) -> None:
    rule = {"legal_basis": "《户口登记条例》第四条", "effective": (now - timedelta(days=1), None)}
    AuthorityRule.objects.create(dataset=plan.dataset, field="name", collectors=["PUBLIC_SECURITY", "EDUCATION"], **rule)
    other = csv_plan(city.education, now, columns={"citizen_id": "SFZH", "name": "XSXM"}, collector="EDUCATION", is_lead=False)
    refresh(now=now)
    found = walk(starts=[FIELD], direction=Direction.UPSTREAM, actor=city.actor("reviewer"))
    told = {edge.upstream: edge.detail for edge in found.edges if edge.downstream == FIELD}
    assert told[column_key(plan, "XM")] == {"collector": "PUBLIC_SECURITY", "rank": 1}
    assert told[column_key(other, "XSXM")] == {"collector": "EDUCATION", "rank": 2}
    assert found.nodes[FIELD].detail["basis"] == rule["legal_basis"]


def test_a_removed_mapping_ends_and_the_earlier_day_still_answers(
    city: City, now: datetime, plan: AggregationPlan, grant: Grant
) -> None:
    before = now - timedelta(days=2)
    Grant.objects.update(valid_from=before - timedelta(days=1))
    refresh(now=before)
    binding = Binding.objects.get()
    binding.columns = {name: column for name, column in binding.columns.items() if name != "name"}
    binding.save()
    changed = refresh(now=now)
    assert (changed.begun, changed.ended) == (0, 1)
    edge = LineageEdge.objects.get(upstream=FIELD)
    assert (edge.first_seen, edge.last_seen) == (before, now)
    assert "GRANT" not in kinds(down(column_key(plan, "XM"), city))
    assert "GRANT" in kinds(down(column_key(plan, "XM"), city, day=before.date()))
    assert kinds(down(column_key(plan, "XM"), city, day=(before - timedelta(days=5)).date())) == ["COLUMN"]


def test_a_revoked_grant_leaves_the_lineage_and_nothing_changes_twice(
    city: City, now: datetime, plan: AggregationPlan, grant: Grant
) -> None:
    refresh(now=now)
    assert refresh(now=now + timedelta(minutes=5)) == Refreshed(0, 0, 0)
    Grant.objects.update(state=GrantState.REVOKED)
    assert refresh(now=now + timedelta(minutes=10)).ended == 3
    assert "GRANT" not in kinds(down(FIELD, city))


def test_a_changed_mask_is_a_new_edge_of_its_own(city: City, now: datetime, plan: AggregationPlan, grant: Grant) -> None:
    refresh(now=now)
    Grant.objects.update(masks={})
    refresh(now=now + timedelta(minutes=5))
    edges = LineageEdge.objects.filter(downstream=key_of(NodeKind.GRANT, grant.uid), upstream__endswith=":name").order_by("id")
    assert [(edge.detail["mask"], edge.last_seen is None) for edge in edges] == [("NAME", False), ("NONE", True)]


def test_backflow_and_sources_outside_stand_in_it(city: City, now: datetime, plan: AggregationPlan) -> None:
    BackflowSubscription.objects.create(
        title="玄武区回流", department=city.market, region=city.districts["320102"], dataset="population.person", fields=["name"]
    )
    outside = SourceConnection.objects.create(
        title="学籍表", department=city.education, kind="MYSQL", host="db.internal", port=3306, database="xj", username="ro",
        table="xj", key_column="SFZH", columns=[{"name": "XSXM", "title": "姓名"}],
    )  # fmt: skip
    resource = make_resource(city.education, dataset=f"table.{outside.uid.hex}")
    Binding.objects.filter(resource=resource).update(columns={"name": "XSXM"})
    refresh(now=now)
    assert "BACKFLOW" in kinds(down(column_key(plan, "XM"), city))
    found = down(f"column:table.{outside.uid.hex}:XSXM", city)
    assert key_of(NodeKind.ITEM, resource.uid, "name") in found.nodes
    assert not [node for node in LineageNode.objects.all() if "db.internal" in f"{node.key}{node.title}{node.detail}"]


def test_columns_of_thematic_databases_are_made_of_fields(city: City, now: datetime, plan: AggregationPlan) -> None:
    spec = {
        "sources": [
            {"alias": "paid", "dataset": "population.attribute", "where": [{"field": "attribute_kind", "in": ["PENSION"]}]}
        ],
        "columns": [
            {"name": "person", "title": "姓名", "field": "name"},
            {"name": "payments", "title": "次数", "aggregate": "count", "source": "paid"},
            {"name": "often", "title": "多次", "derive": {"compare": [{"column": "payments"}, ">", 2]}},
        ],
    }
    definition = ThematicDataset.objects.create(
        code="pensions", title="养老金核查库", kind="TOPIC", subject="PERSON", department=city.market, purpose="核查",
        legal_basis="《社会保险法》", spec=spec, daily_at="02:00", state="APPROVED", created_at=now,
    )  # fmt: skip
    refresh(now=now)
    back = walk(starts=["field:thematic:pensions:often"], direction=Direction.UPSTREAM, actor=city.actor("police_operator"))
    assert "field:population.attribute:attribute_kind" in back.nodes
    assert "field:thematic:pensions:payments" not in back.nodes
    (line,) = impacts.impact(starts=[column_key(plan, "XM")], actor=city.actor("police_operator")).lines
    assert (line.resource, line.items, line.consumer, line.mode) == ("养老金核查库", ("姓名",), city.market.name, "专题库")
    ThematicDataset.objects.filter(pk=definition.pk).update(state="RETIRED")
    refresh(now=now + timedelta(minutes=5))
    assert kinds(down(column_key(plan, "XM"), city)) == ["COLUMN", "FIELD"]


def test_departments_see_their_own_sources_and_grants_only(city: City, now: datetime, plan: AggregationPlan, grant: Grant) -> None:
    other = make_grant(make_resource(city.market), make_system(city.market), city.people["market_operator"])
    refresh(now=now)
    start = column_key(plan, "XM")
    provider = down(start, city, "police_operator")
    assert key_of(NodeKind.SYSTEM, grant.system.uid) in provider.nodes
    assert key_of(NodeKind.GRANT, other.uid) not in provider.nodes
    for name in ("market_operator", "education_head", "system_admin", "security_admin"):
        with pytest.raises(NotFound):
            down(start, city, name)
    consumer = walk(starts=[key_of(NodeKind.GRANT, grant.uid)], direction=Direction.UPSTREAM, actor=city.actor("education_head"))
    assert "FIELD" in kinds(consumer)
    assert "COLUMN" not in kinds(consumer)
    for name in ("reviewer", "auditor"):
        assert {key_of(NodeKind.GRANT, one.uid) for one in (grant, other)} <= set(down(start, city, name).nodes)


def test_impact_names_items_grants_and_consumers(city: City, now: datetime, plan: AggregationPlan, grant: Grant) -> None:
    refresh(now=now)
    found = impacts.impact(starts=[column_key(plan, "XM")], actor=city.actor("police_operator"))
    (line,) = found.lines
    assert (line.items, line.consumer, line.system, line.mode) == (("姓名",), "市教育局", grant.system.name, "检索查询")
    assert found.counts["grants"] == found.counts["systems"] == found.counts["departments"] == found.counts["items"] == 1
    assert grant.system.name in "".join(impacts.csv_lines(found))


def test_a_key_column_stands_for_the_whole_table(city: City, now: datetime, grant: Grant) -> None:
    plan = table_plan(city.police, now, "rk_lineage")
    refresh(now=now)
    found = impacts.impact(starts=[column_key(plan, "GXSJ")], actor=city.actor("reviewer"))
    assert [line.items for line in found.lines] == [("姓名", "性别")]


def test_a_column_that_broke_names_the_grants_until_it_is_found_again(
    city: City, now: datetime, plan: AggregationPlan, grant: Grant
) -> None:
    refresh(now=now)
    run = AggregationRun.objects.create(plan=plan, queued_at=now)
    left = [Column(column) for column in COLUMNS.values() if column != "XM"]
    with pytest.raises(Invalid) as refused:
        schema_drift.compare(plan, left, now=now)
    for _twice in range(2):
        column_breaks.note_break(run_id=run.pk, error=refused.value, now=now)
    breaks = impacts.broken_columns(plan)
    assert [(one.column, one.is_missing) for one in breaks] == [("XM", True)]
    found = impacts.impact_of_breaks(plan=plan, breaks=breaks, actor=city.actor("police_operator"))
    assert [line.consumer for line in found.lines] == ["市教育局"]
    schema_drift.compare(plan, [Column(column) for column in COLUMNS.values()], now=now)
    assert not impacts.broken_columns(plan)
    assert ColumnBreak.objects.get().mended_at == now


def test_what_is_cut_off_lies_farthest(
    city: City, now: datetime, plan: AggregationPlan, grant: Grant, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(now=now)
    monkeypatch.setattr(walking, "MOST_EDGES", 9)
    found = down(key_of(NodeKind.SOURCE, "plan", plan.uid), city)
    assert found.is_cut
    assert len(found.edges) == 9
    assert kinds(found) == ["SOURCE", "COLUMN", "FIELD"]


def test_queries_do_not_grow_with_grants(city: City, now: datetime, plan: AggregationPlan, grant: Grant) -> None:
    def asked() -> tuple[int, int]:
        moment = timezone.now()
        with CaptureQueriesContext(connection) as derived:
            refresh(now=moment)
        with CaptureQueriesContext(connection) as walked:
            down(column_key(plan, "XM"), city, "police_operator")
        return len(derived), len(walked)

    few = asked()
    for _number in range(8):
        make_grant(grant.resource, make_system(city.market), city.people["market_operator"])
    many = asked()
    assert many[0] <= few[0]
    assert many[1] == few[1] <= 6
