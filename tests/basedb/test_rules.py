"""Validation rules: each defect is named by its own rule, and a large batch is judged in one cheap statement."""

from collections.abc import Callable
from datetime import date
from time import perf_counter

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from basedb.cleaning import clean, clean_sql, shown_sql, typed_sql
from basedb.code_sets import CODE_SETS
from basedb.dictionary import DATASETS, ENTERPRISE, PERSON, Dataset, DataType, Field, Kind
from basedb.identifiers import generate_citizen_id, generate_uscc
from basedb.rules import RULES, broken_rule_sql, rule_named
from tests.basedb.conftest import Evaluate

TODAY = date(2025, 11, 22)
Row = dict[str, str | None]
Judge = Callable[[Dataset, Row], str | None]

GOOD_PERSON: Row = dict.fromkeys(PERSON.field_names) | {
    "citizen_id": generate_citizen_id("990101", date(1980, 5, 6), 121),
    "name": "王建国",
    "sex": "1",
    "ethnicity": "01",
    "birth_on": "19800506",
    "person_status": "0",
    "region_code": "320102002",
    "address": "江苏省南京市玄武区珠江路1号",
    "household_relation": "02",
    "marital_status": "20",
    "phone": "10012345678",
}
GOOD_ENTERPRISE: Row = dict.fromkeys(ENTERPRISE.field_names) | {
    "uscc": generate_uscc(4711, region="990101"),
    "name": "南京示例科技有限公司",
    "entity_kind": "91",
    "legal_representative": "王建国",
    "legal_representative_id": generate_citizen_id("990101", date(1980, 5, 6), 121),
    "region_code": "320102",
    "industry": "I65",
    "registered_capital": "100.50",
    "currency": "156",
    "established_on": "20100101",
    "term_from": "20100101",
    "term_to": "20400101",
    "registration_state": "1",
}


def _staged(dataset: Dataset, expression: str) -> str:
    columns = ", ".join(f"%s::text AS {name}" for name in dataset.field_names)
    return f"SELECT {expression} FROM (SELECT {columns}) AS s"


@pytest.fixture
def judge(db: None) -> Judge:
    """Return a function that names the first rule a row breaks."""

    def run(dataset: Dataset, row: Row) -> str | None:
        with connection.cursor() as cursor:
            values = [row[name] for name in dataset.field_names]
            cursor.execute(_staged(dataset, broken_rule_sql(dataset, today=TODAY)), values)
            code: str | None = cursor.fetchone()[0]
            return code

    return run


def test_good_rows_break_no_rule(judge: Judge) -> None:
    assert judge(PERSON, GOOD_PERSON) is None
    assert judge(ENTERPRISE, GOOD_ENTERPRISE) is None


PERSON_DEFECTS: list[tuple[Row, str]] = [
    ({"citizen_id": None}, "citizen_id.required"),
    ({"citizen_id": ""}, "citizen_id.required"),
    ({"citizen_id": "99010119800506"}, "citizen_id.format"),
    ({"citizen_id": "990101198002300010"}, "citizen_id.format"),
    ({"citizen_id": GOOD_PERSON["citizen_id"][:17] + "?"}, "citizen_id.format"),  # type: ignore[index]
    ({"citizen_id": "990101198005061219"}, "citizen_id.check_digit"),
    ({"name": None}, "name.required"),
    ({"name": "王" * 51}, "name.too_long"),
    ({"name": "王\u200b建国"}, "name.control_character"),
    ({"address": "南京\ufffd市"}, "address.control_character"),
    ({"address": "南京\n市"}, "address.control_character"),
    ({"sex": "3"}, "sex.code"),
    ({"sex": "2"}, "sex.mismatch"),
    ({"ethnicity": "57"}, "ethnicity.code"),
    ({"birth_on": "19800230"}, "birth_on.format"),
    ({"birth_on": "20990101"}, "birth_on.future"),
    ({"birth_on": "19800507"}, "birth_on.mismatch"),
    ({"person_status": "7"}, "person_status.code"),
    ({"region_code": "3201"}, "region_code.format"),
    ({"region_code": "3201020020"}, "region_code.format"),
    ({"household_relation": "本人"}, "household_relation.format"),
    ({"marital_status": "11"}, "marital_status.code"),
    ({"died_on": "19700101", "person_status": "9"}, "died_on.before_birth"),
    ({"died_on": "20200101"}, "person_status.mismatch"),
    ({"died_on": "20251123", "person_status": "9"}, "died_on.future"),
    ({"phone": "call me"}, "phone.format"),
]
ENTERPRISE_DEFECTS: list[tuple[Row, str]] = [
    ({"uscc": None}, "uscc.required"),
    ({"uscc": "9199010100004711"}, "uscc.format"),
    ({"uscc": "919901010000471100"}, "uscc.check_digit"),
    ({"name": ""}, "name.required"),
    ({"entity_kind": "00"}, "entity_kind.code"),
    ({"entity_kind": "92"}, "entity_kind.mismatch"),
    ({"legal_representative_id": "990101198005061219"}, "legal_representative_id.check_digit"),
    ({"region_code": "320102A"}, "region_code.format"),
    ({"industry": "65"}, "industry.format"),
    ({"registered_capital": "一百万"}, "registered_capital.format"),
    ({"currency": None}, "currency.required"),
    ({"currency": "CNY"}, "currency.code"),
    ({"established_on": "20260101"}, "established_on.future"),
    ({"term_to": "20091231"}, "term_to.before_start"),
    ({"registration_state": "0"}, "registration_state.code"),
    ({"cancelled_on": "20091231", "registration_state": "4"}, "cancelled_on.before_establishment"),
    ({"cancelled_on": "20200101"}, "registration_state.mismatch"),
]


@pytest.mark.parametrize(("defect", "code"), PERSON_DEFECTS)
def test_defect_of_a_person_is_named(judge: Judge, defect: Row, code: str) -> None:
    assert judge(PERSON, GOOD_PERSON | defect) == code


@pytest.mark.parametrize(("defect", "code"), ENTERPRISE_DEFECTS)
def test_defect_of_an_enterprise_is_named(judge: Judge, defect: Row, code: str) -> None:
    assert judge(ENTERPRISE, GOOD_ENTERPRISE | defect) == code


def test_wrong_organization_code_inside_a_valid_uscc_is_named(judge: Judge) -> None:
    assert judge(ENTERPRISE, GOOD_ENTERPRISE | {"uscc": "919901011111111115"}) in (
        "uscc.check_digit",
        "uscc.organization_code",
    )


def test_foreign_papers_of_a_representative_are_accepted(judge: Judge) -> None:
    assert judge(ENTERPRISE, GOOD_ENTERPRISE | {"legal_representative_id": "E12345678"}) is None


anything = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20) | st.none()


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.code)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_row_makes_a_rule_fail_or_answer_null(db: None, dataset: Dataset, data: st.DataObject) -> None:
    good = GOOD_PERSON if dataset is PERSON else GOOD_ENTERPRISE
    row = [data.draw(st.just(good.get(name)) | anything) for name in dataset.field_names]
    today = "'20251122'"
    conditions = ", ".join(rule.condition.replace(":today", today) for rule in RULES[dataset.code])
    with connection.cursor() as cursor:
        cursor.execute(_staged(dataset, conditions), row)
        assert None not in cursor.fetchone()


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=lambda dataset: dataset.code)
def test_contract_is_consistent(dataset: Dataset) -> None:
    codes = [rule.code for rule in RULES[dataset.code]]
    assert len(codes) == len(set(codes))
    assert {rule.field for rule in RULES[dataset.code]} <= set(dataset.field_names)
    assert {dataset.key_field, dataset.region_field or dataset.key_field, *dataset.row_fields} <= set(dataset.field_names)
    assert (dataset.kind is Kind.FACT) == bool(dataset.row_fields)
    assert {field.code_set for field in dataset.fields} - {""} <= CODE_SETS.keys()
    assert dataset.field(dataset.key_field).required
    for rule in RULES[dataset.code]:
        assert "{" not in rule.text()
        assert "%" not in rule.condition
    with pytest.raises(KeyError):
        dataset.field("nothing")
    with pytest.raises(KeyError):
        rule_named(dataset, "nothing.wrong")


def test_ethnic_groups_are_complete() -> None:
    labels = CODE_SETS["ethnicity"].labels
    assert [f"{number:02d}" for number in range(1, 57)] == list(labels)[:56]
    assert (labels["01"], labels["11"], labels["56"]) == ("汉族", "满族", "基诺族")


def test_unknown_code_is_shown_as_it_is() -> None:
    assert CODE_SETS["sex"].label("7") == "7"
    assert CODE_SETS["sex"].label("2") == "女"


messy = st.text("０９5x-Ｘ/.年月日,， \t\u3000\ufeff\u200b王A", max_size=12)


@pytest.mark.parametrize("field", [*PERSON.fields, *ENTERPRISE.fields], ids=lambda field: str(field.name))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(messy | anything, min_size=1, max_size=30))
def test_cleaning_is_the_same_in_sql(field: Field, evaluate: Evaluate, texts: list[str | None]) -> None:
    assert evaluate(clean_sql(field, "v"), texts) == [clean(field, text) for text in texts]


def test_dates_and_amounts_are_cleaned_and_typed(evaluate: Evaluate) -> None:
    born, capital = PERSON.field("birth_on"), ENTERPRISE.field("registered_capital")
    assert clean(born, "1980年05月06日") == clean(born, " 1980-05-06 ") == "19800506"
    assert clean(capital, "1,000.5") == "1000.5"
    assert evaluate(typed_sql(born, "v"), ["19800506", None]) == [date(1980, 5, 6), None]
    assert evaluate(shown_sql(born, typed_sql(born, "v")), ["19800506"]) == ["1980-05-06"]
    assert evaluate(shown_sql(capital, typed_sql(capital, "v")), ["1000.5"]) == ["1000.5"]
    assert {field.data_type for field in PERSON.fields} == {DataType.TEXT, DataType.DATE}


def test_two_hundred_thousand_rows_are_judged_in_seconds(db: None) -> None:
    columns = ", ".join(f"%s::text AS {name}" for name in PERSON.field_names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE s ON COMMIT DROP AS SELECT {columns} FROM generate_series(1, 200000)",
            [GOOD_PERSON[name] for name in PERSON.field_names],
        )
        started = perf_counter()
        cursor.execute(f"SELECT count({broken_rule_sql(PERSON, today=TODAY)}) FROM s")
        elapsed = perf_counter() - started
        assert cursor.fetchone() == (0,)
    print(f"200,000 rows judged in {elapsed:.2f} s")
    assert elapsed < 6
