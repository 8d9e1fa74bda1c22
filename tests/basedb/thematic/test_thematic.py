"""Thematic databases: what an author writes never becomes SQL, rows follow their sources by difference, approval is another's."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb.dictionary.contract import Grade
from basedb.masking import Mask
from basedb.models import Attribute, RefreshState, ThematicDataset, ThematicRefresh, ThematicRow, ThematicState
from basedb.thematic import definitions, refreshing, rows
from basedb.thematic.compiling import compile_spec
from basedb.thematic.definitions import Draft
from basedb.thematic.shipped import shipped
from basedb.thematic.values import literal
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from tests.basedb.test_quality import NOW, person
from tests.basedb.thematic.rows import approved, enterprise, household, refresh
from tests.factories import City

TODAY = date(2026, 3, 1)
NAME = {"name": "name", "title": "姓名", "field": "name"}
SEX = {"name": "sex", "title": "性别", "field": "sex"}
EVIL = "x'; DROP TABLE core_user; --"
NOTED = {"alias": "noted", "dataset": "population.attribute"}
COUNT = {"name": "n", "title": "数", "aggregate": "count", "source": "noted"}
STEPS = [{"least": 1, "then": "a"}, {"least": 2, "then": "b"}]
PLAIN = Draft("people", "人员", "THEME", "PERSON", "测试", "测试", {"columns": [NAME]}, every_minutes=60)


def spec(*columns: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {"columns": [NAME, *columns], **parts}


def derived(expression: Any) -> dict[str, Any]:
    return {"columns": [SEX, {"name": "d", "title": "派生", "derive": expression}]}


REFUSED: list[tuple[Any, str]] = [
    ("SELECT 1", "spec"),
    ({"columns": []}, "columns"),
    ({"columns": [NAME], "sql": "1"}, "spec.sql"),
    ({"columns": [NAME | {"name": EVIL}]}, "columns[0].name"),
    ({"columns": [NAME, NAME]}, "columns[1].name"),
    ({"columns": [NAME | {"field": EVIL}]}, "columns[0].field"),
    ({"columns": [NAME | {"field": "subject_key"}]}, "columns[0].field"),
    (spec(where=[{"field": "name; --", "is": "null"}]), "where[0].field"),
    (spec(where=[{"field": "sex", "operator": "= '' OR 1=1 --", "value": "a"}]), "where[0].operator"),
    (spec(where=[{"field": "birth_on", "operator": "=", "value": EVIL}]), "where[0].value"),
    (spec(where=[{"field": "birth_on", "operator": "=", "value": {"date": EVIL}}]), "where[0].value"),
    (spec(where=[{"field": "sex", "in": []}]), "where[0].in"),
    (spec(where=[{"field": "sex", "contains": 5}]), "where[0].contains"),
    (spec(where=[{"field": "sex", "contains": "a\x00"}]), "where[0].contains"),
    (spec(where=[{"field": "sex", "is": "null OR true"}]), "where[0].is"),
    (spec(sources=[NOTED | {"alias": "a b"}]), "sources[0].alias"),
    (spec(sources=[NOTED | {"dataset": "pg_catalog.pg_authid"}]), "sources[0].dataset"),
    (spec(sources=[NOTED | {"join": "true"}]), "sources[0].join"),
    (spec(sources=[NOTED | {"dataset": "legal_entity.officer"}]), "sources[0].join"),
    (spec(sources=[NOTED | {"dataset": "population.household", "join": "LINK", "link": "address"}]), "sources[0].link"),
    (spec(COUNT | {"aggregate": "count(*)"}, sources=[NOTED]), "columns[1].aggregate"),
    (spec(COUNT | {"aggregate": "sum", "of": "citizen_id"}, sources=[NOTED]), "columns[1].of"),
    (spec(COUNT | {"source": "other"}, sources=[NOTED]), "columns[1].source"),
    (spec(NAME | {"name": "id", "field": "citizen_id", "grade": "L1"}), "columns[1].grade"),
    (derived({"sql": "now()"}), "columns[1].derive"),
    (derived({"column": "later"}), "columns[1].derive.column"),
    (derived({"compare": [{"column": "sex"}, "||", "x"]}), "columns[1].derive.compare[1]"),
    (derived({"compare": [{"column": "sex"}, "=", 1]}), "columns[1].derive.compare"),
    (derived({"sum": [{"column": "sex"}, 1]}), "columns[1].derive.sum[0]"),
    (derived({"sum": [1e300, 1]}), "columns[1].derive.sum[0]"),
    (derived({"case": [{"when": True, "then": 1}, {"when": True, "then": "a"}]}), "columns[1].derive.case[1].then"),
    (derived({"threshold": 1, "steps": STEPS}), "columns[1].derive.threshold.steps[1].least"),
    (spec(keep={"column": "name"}), "keep"),
    (spec(where=[{"field": "name", "in": ["张三"]}]), "where[0].field"),
    (spec(where=[{"field": "citizen_id", "operator": ">=", "value": "9"}]), "where[0].field"),
    (spec(sources=[NOTED | {"where": [{"field": "citizen_id", "contains": "9"}]}]), "sources[0].where[0].field"),
    (spec(keep={"compare": [{"column": "name"}, "=", "张三"]}), "keep.compare[0]"),
    (spec(keep={"in": [{"case": [{"when": True, "then": {"column": "name"}}]}, ["张三"]]}), "keep.in[0]"),
    (spec(level=EVIL), "level"),
    (spec(level="name"), "level"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "place"), REFUSED, ids=[place + str(number) for number, (_w, place) in enumerate(REFUSED)])
def test_what_is_no_definition_is_refused_at_its_place(written: Any, place: str) -> None:
    with pytest.raises(Invalid) as refused:
        compile_spec("PERSON", written, today=TODAY)
    assert list(refused.value.details) == [place]


def test_an_expression_has_bounds() -> None:
    deep: Any = True
    for _round in range(40):
        deep = {"not": deep}
    doubling = [{"name": "c0", "title": "0", "derive": {"sum": [1, 2]}}]
    doubling += [{"name": f"c{n}", "title": "0", "derive": {"sum": [{"column": f"c{n - 1}"}] * 20}} for n in range(1, 8)]
    for written in (derived(deep), spec(*doubling)):
        with pytest.raises(Invalid, match=r"thematic.definition_invalid"):
            compile_spec("PERSON", written, today=TODAY)


def test_texts_of_an_author_are_values_and_never_sql(city: City) -> None:
    for serial, name in enumerate((EVIL, "100%", "其他"), 1):
        enterprise(city, serial, name=name)
    is_evil = {"when": {"compare": [{"column": "name"}, "=", EVIL]}, "then": EVIL}
    written = spec({"name": "d", "title": "派生", "derive": {"case": [is_evil], "else": "%s"}})
    written["where"] = [{"field": "name", "in": [EVIL, "100%"]}]
    made = approved(city, replace(PLAIN, subject="LEGAL_ENTITY", spec=written))
    assert refresh(made).row_count == 2
    assert sorted(ThematicRow.objects.values_list("values__d", flat=True)) == ["%s", EVIL]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(max_size=40) | st.integers(-(10**17), 10**17) | st.booleans())
def test_any_constant_comes_back_as_it_was_written(db: None, value: Any) -> None:
    if isinstance(value, str) and "\x00" in value:
        with pytest.raises(Invalid):
            literal(value, "here", today=TODAY)
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {literal(value, 'here', today=TODAY).sql}")
        assert cursor.fetchone()[0] == value


# Attributes of a household's member -> score and level.
WARNINGS: list[tuple[tuple[tuple[str, str], ...], int, str]] = [
    ((), 0, ""),
    ((("HARDSHIP", "1"),), 1, ""),
    ((("POWER_USE", "1"), ("HARDSHIP", "9")), 0, ""),
    ((("DISABILITY", "43"), ("POWER_USE", "0")), 2, "黄色"),
    ((("DISABILITY", "41"),), 2, "黄色"),
    ((("MEDICAL_SPENDING", "3"),), 2, "黄色"),
    ((("MEDICAL_SPENDING", "4"),), 3, "橙色"),
    ((("MEDICAL_SPENDING", "3"), ("DISABILITY", "41")), 4, "橙色"),
    ((("MEDICAL_SPENDING", "4"), ("DISABILITY", "11")), 5, "红色"),
    ((("MEDICAL_SPENDING", "4"), ("DISABILITY", "11"), ("POWER_USE", "0"), ("HARDSHIP", "1")), 7, "红色"),
]


def test_warnings_of_poverty_follow_from_what_is_known_of_the_household(city: City) -> None:
    heads = {household(city, serial, *attributes): row for serial, row in enumerate(WARNINGS, 1) if (attributes := row[0]) or True}
    refresh(approved(city, "poverty_relapse"))
    told = {bytes(row.subject_key): (row.values["score"], row.level) for row in ThematicRow.objects.all()}
    assert told == {key: (score, level) for key, (_attributes, score, level) in heads.items() if level}
    assert set(ThematicRow.objects.values_list("values__member_count", flat=True)) == {2}


def test_supervision_of_enterprises_follows_from_penalties_and_licenses(city: City) -> None:
    day = NOW.date()
    near, far, past, old = (day + timedelta(days=days) for days in (30, 900, -3, -800))
    cases = {
        enterprise(city, 1): "",
        enterprise(city, 2, license_until=far): "一般监管",
        enterprise(city, 3, license_until=near): "许可将到期",
        enterprise(city, 4, license_until=past): "加强监管",
        enterprise(city, 5, license_until=far, penalties=(day - timedelta(days=9),)): "加强监管",
        enterprise(city, 6, license_until=far, penalties=(old,)): "一般监管",
        enterprise(city, 7, penalties=(old,)): "重点监管",
        enterprise(city, 8, license_until=far, penalties=(day, day - timedelta(days=9))): "重点监管",
    }
    refresh(approved(city, "environment_supervision"))
    assert {bytes(row.subject_key): row.level for row in ThematicRow.objects.all()} == {k: v for k, v in cases.items() if v}
    assert ThematicRow.objects.get(values__penalty_count=2).values["last_penalty"] == f"违法{day}"


def test_a_refresh_touches_only_what_changed_and_keeps_who_left(city: City) -> None:
    stays, changes, leaves = (household(city, serial, ("MEDICAL_SPENDING", "4")) for serial in (1, 2, 3))
    made = approved(city, "poverty_relapse")
    first = refresh(made)
    assert (first.state, first.row_count, first.entered_count) == (RefreshState.DONE, 3, 3)
    assert (first.regions, first.levels) == ({"320102": 3}, {"橙色": 3})
    before = dict(ThematicRow.objects.values_list("subject_key", "changed_xid"))
    again = refresh(made, NOW + timedelta(hours=1))
    assert (again.entered_count, again.changed_count, again.left_count) == (0, 0, 0)
    assert dict(ThematicRow.objects.values_list("subject_key", "changed_xid")) == before

    Attribute.objects.filter(subject_key=(502).to_bytes(16, "big")).update(attribute_value="3")
    Attribute.objects.filter(subject_key=(503).to_bytes(16, "big")).update(withdrawn_at=NOW)
    later = NOW + timedelta(hours=2)
    third = refresh(made, later)
    assert (third.entered_count, third.changed_count, third.left_count, third.row_count) == (0, 1, 1, 2)
    kept = {bytes(row.subject_key): row for row in ThematicRow.objects.all()}
    assert (kept[stays].changed_at, kept[changes].changed_at, kept[changes].level) == (NOW, later, "黄色")
    assert (kept[leaves].entered_at, kept[leaves].left_at) == (NOW, later)

    Attribute.objects.filter(subject_key=(503).to_bytes(16, "big")).update(withdrawn_at=None)
    refresh(made, NOW + timedelta(hours=3))
    assert ThematicRow.objects.filter(subject_key=leaves).count() == 2  # the earlier stay is kept


def test_a_failed_refresh_says_so_and_leaves_the_rows(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    household(city, 1, ("MEDICAL_SPENDING", "4"))
    made = approved(city, "poverty_relapse")
    refresh(made)
    ThematicDataset.objects.filter(pk=made.pk).update(spec={"columns": []})
    broken = refresh(made)
    assert broken.state == RefreshState.FAILED
    assert "columns" in broken.message
    assert ThematicRow.objects.filter(left_at=None).count() == 1


def test_what_is_due_is_queued_once_and_handed_out_again(city: City) -> None:
    made = approved(city, PLAIN)
    assert refreshing.queue_due(now=NOW) == 1
    made.refresh_from_db()
    assert made.next_refresh_at == NOW + timedelta(minutes=60)
    assert refreshing.queue_due(now=NOW + timedelta(hours=2)) == 0  # one is under way
    queued = ThematicRefresh.objects.get()
    assert refreshing.unattended(now=NOW + timedelta(minutes=1)) == [queued.uid]
    refreshing.work(refresh_uid=queued.uid, clock=lambda: NOW)
    refreshing.work(refresh_uid=queued.uid, clock=lambda: NOW)
    assert refreshing.unattended(now=NOW + timedelta(minutes=1)) == []
    with pytest.raises(Forbidden):
        refreshing.ask(uid=made.uid, actor=city.actor("police_operator"), now=NOW)


def test_a_daily_plan_is_due_at_its_hour_in_shanghai(city: City) -> None:
    made = approved(city, replace(PLAIN, every_minutes=None, daily_at=time(4, 20)))
    due = definitions.next_refresh(made, now=NOW)
    assert NOW < due <= NOW + timedelta(days=1)
    assert due.strftime("%H:%M %z") == "04:20 +0800"


def test_two_people_put_a_definition_in_force(city: City) -> None:
    author, reviewer = city.actor("education_operator"), city.actor("reviewer")
    own = definitions.propose(draft=PLAIN, actor=reviewer, now=NOW)
    with pytest.raises(Forbidden, match=r"thematic.own_draft"):
        definitions.approve(uid=own.uid, actor=reviewer, now=NOW)
    made = definitions.propose(draft=replace(PLAIN, code="others"), actor=author, now=NOW)
    with pytest.raises(Forbidden):
        definitions.approve(uid=made.uid, actor=author, now=NOW)
    with pytest.raises(NotFound):
        definitions.approve(uid=made.uid, actor=city.actor("police_operator"), now=NOW)
    definitions.approve(uid=made.uid, actor=reviewer, now=NOW)
    with pytest.raises(Conflict):
        definitions.approve(uid=made.uid, actor=reviewer, now=NOW)
    with pytest.raises(Conflict, match=r"thematic.code_taken"):
        definitions.propose(draft=replace(PLAIN, code="others"), actor=city.actor("police_operator"), now=NOW)
    with pytest.raises(Forbidden):
        definitions.propose(draft=PLAIN, actor=city.actor("education_head"), now=NOW)


def test_the_next_version_takes_over_and_a_retired_one_lets_its_rows_go(city: City) -> None:
    person(city, 1)
    first = approved(city, PLAIN)
    refresh(first)
    second = approved(city, replace(PLAIN, spec=spec({"name": "sex", "title": "性别", "field": "sex"})))
    first.refresh_from_db()
    assert (first.state, second.version) == (ThematicState.RETIRED, 2)
    assert refresh(second).changed_count == 1
    definitions.retire(uid=second.uid, actor=city.actor("education_head"), now=NOW)
    assert not ThematicRow.objects.filter(left_at=None).exists()
    with pytest.raises(Conflict):
        refreshing.ask(uid=second.uid, actor=city.actor("reviewer"), now=NOW)


def test_a_draft_is_counted_before_it_is_proposed_but_never_exactly(city: City) -> None:
    draft, author = replace(PLAIN, spec=spec(where=[{"field": "sex", "in": ["1"]}])), city.actor("education_operator")
    for serial in range(1, 64, 2):
        person(city, serial)
        if serial == 37:
            assert definitions.preview(draft, actor=author, now=NOW) == 0
    assert definitions.preview(draft, actor=author, now=NOW) == 30
    assert AuditEntry.objects.filter(action="thematic.previewed").count() == 2
    with pytest.raises(Invalid) as refused:
        definitions.preview(replace(draft, code="Bad Code", daily_at=time(1)), actor=city.actor("education_operator"), now=NOW)
    assert set(refused.value.details) == {"code", "every_minutes"}


def test_a_column_is_as_sensitive_as_the_strictest_it_is_made_of() -> None:
    columns = {column.name: column for column in compile_spec("PERSON", shipped()["poverty_relapse"].spec, today=TODAY).columns}
    assert (columns["name"].grade, columns["name"].mask) == (Grade.L2, Mask.NAME)
    assert (columns["severe_count"].grade, columns["severe_count"].mask) == (Grade.L3, Mask.NONE)
    assert (columns["score"].grade, columns["warning"].grade) == (Grade.L3, Grade.L3)
    case = {"case": [{"when": True, "then": {"column": "name"}}], "else": "无"}
    shown = spec({"name": "d", "title": "派生", "derive": case})
    assert compile_spec("PERSON", shown, today=TODAY).columns[1].mask is Mask.NAME
    id_ = {"name": "id", "title": "号码", "field": "citizen_id"}
    both = {"case": [{"when": True, "then": {"column": "name"}}], "else": {"column": "id"}}
    mixed = compile_spec("PERSON", spec(id_, {"name": "d", "title": "派生", "derive": both}), today=TODAY).columns[2]
    assert (mixed.grade, mixed.mask) == (Grade.L3, Mask.HIDDEN)
    asked = {"name": "latest", "title": "值", "aggregate": "latest", "source": "noted", "of": "attribute_value", "by": "valid_from"}
    hidden = compile_spec("PERSON", spec(asked, sources=[NOTED]), today=TODAY).columns[1]
    assert (hidden.grade, hidden.mask) == (Grade.L3, Mask.HIDDEN)


def test_the_department_reads_under_masks_and_the_centre_less_still(city: City) -> None:
    household(city, 1, ("MEDICAL_SPENDING", "4"))
    household(city, 2, ("MEDICAL_SPENDING", "4"), ("DISABILITY", "11"), region="320104")
    made = approved(city, "poverty_relapse")
    refresh(made)

    def read(name: str, **filters: str) -> list[dict[str, Any]]:
        found = rows.read(uid=made.uid, actor=city.actor(name), now=NOW, **filters)
        return [dict(zip([column.name for column in found.columns], line.values, strict=True)) for line in found.lines]

    own = read("education_operator")
    assert [(line["name"], line["warning"]) for line in own] == [("张*", "橙色"), ("张*", "红色")]
    assert all("********" in line["citizen_id"] for line in own)
    assert [line["warning"] for line in read("education_operator", region="320104")] == ["红色"]
    assert len(read("education_operator", region="320100")) == 2, "the city as the standard writes it"
    assert [line["warning"] for line in read("education_head", level="橙色")] == ["橙色"]
    assert {line["warning"] for line in read("reviewer")} == {"******"}
    with pytest.raises(Forbidden):
        read("reviewer", level="橙色")
    for name in ("police_operator", "auditor"):
        with pytest.raises(Forbidden):
            read(name)
    with pytest.raises(DomainError):
        read("education_operator", region="32%")
    looks = AuditEntry.objects.filter(action="thematic.read")
    assert looks.count() == 5
    assert "张" not in str(list(looks.values_list("detail", flat=True)))


def test_rows_of_the_version_before_are_not_shown_under_the_masks_of_the_next(city: City) -> None:
    person(city, 1)
    refresh(approved(city, replace(PLAIN, spec=spec({"name": "x", "title": "号码", "field": "citizen_id"}))))
    second = approved(city, replace(PLAIN, spec=spec({"name": "x", "title": "性别", "field": "sex"})))

    def shown() -> list[Any]:
        found = rows.read(uid=second.uid, actor=city.actor("education_operator"), now=NOW)
        return [line.values[1] for line in found.lines]

    assert shown() == []
    refresh(second)
    assert shown() == ["1"]


def test_a_draft_written_anew_is_not_approved_unread(city: City) -> None:
    author, reviewer = city.actor("education_operator"), city.actor("reviewer")
    made = definitions.propose(draft=PLAIN, actor=author, now=NOW)
    definitions.propose(draft=replace(PLAIN, purpose="别的"), actor=author, now=NOW + timedelta(minutes=1))
    with pytest.raises(Conflict, match=r"thematic.draft_rewritten"):
        definitions.approve(uid=made.uid, actor=reviewer, now=NOW, drafted_at=made.created_at)
    made.refresh_from_db()
    assert definitions.approve(uid=made.uid, actor=reviewer, now=NOW, drafted_at=made.created_at).purpose == "别的"


def test_a_disabled_person_counts_once_however_many_certificates_are_on_record(city: City) -> None:
    household(city, 1, ("DISABILITY", "11"), ("DISABILITY", "12"))
    refresh(approved(city, "poverty_relapse"))
    values = ThematicRow.objects.get().values
    assert (values["disabled_count"], values["severe_count"]) == (1, 1)


def test_levels_are_told_the_largest_first_and_not_without_end(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "MOST_LEVELS", 1)
    for serial in (1, 2, 3):
        person(city, serial)
    done = refresh(approved(city, replace(PLAIN, spec=spec(SEX, level="sex"))))
    assert (done.levels, done.row_count) == ({"1": 2}, 3)


def test_where_a_person_is_registered_is_shown_and_looked_for_down_to_the_county(city: City) -> None:
    person(city, 1, region_code="320102001001")
    made = approved(city, PLAIN)
    refresh(made)
    given = {"uid": made.uid, "actor": city.actor("education_operator"), "now": NOW}
    assert [line.region_code for line in rows.read(**given, region="320102").lines] == ["320102"]
    with pytest.raises(Invalid, match=r"thematic.region_too_narrow"):
        rows.read(**given, region="320102001")
