"""Rules of credit records and licenses: scope by the catalogue in force, amounts, codes by category, lenient licenses."""

from collections.abc import Callable
from datetime import date

import pytest
from django.apps import apps
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from basedb.cleaning import clean
from basedb.credit import shipped
from basedb.dictionary import DATASETS
from basedb.models import CreditCatalogItem, CreditCatalogVersion, CreditTier
from basedb.rules import broken_rule_sql
from tests.basedb.credit_rows import CITIZEN, Row, good_row

Judge = Callable[..., str | None]
CREDIT = [code for code in DATASETS if code.startswith(("credit.", "license."))]


@pytest.fixture
def judge(db: None) -> Judge:
    """Return a function that names the first rule a row breaks on a day."""
    shipped.load_catalog(apps)
    shipped.load_tiers(apps)

    def run(code: str, row: Row, today: date = date(2025, 11, 22)) -> str | None:
        dataset = DATASETS[code]
        columns = ", ".join(f"%s::text AS {name}" for name in dataset.field_names)
        values = [clean(field, row[field.name]) for field in dataset.fields]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {broken_rule_sql(dataset, today=today)} FROM (SELECT {columns}) s", values)
            broken: str | None = cursor.fetchone()[0]
        return broken

    return run


@pytest.mark.parametrize("code", CREDIT)
def test_good_credit_and_license_rows_break_no_rule(judge: Judge, code: str) -> None:
    assert judge(code, good_row(code)) is None


DEFECTS = [
    ("credit.penalty", {"subject_category": "自然人"}, "subject_code.citizen_id"),
    ("credit.penalty", {"subject_code": CITIZEN}, "subject_code.uscc"),
    ("credit.penalty", {"subject_category": "企业"}, "subject_category.code"),
    ("credit.penalty", {"item_code": "9999"}, "item_code.not_in_catalogue"),
    ("credit.penalty", {"item_code": "0201"}, "item_code.not_in_catalogue"),  # an item of permits
    ("credit.penalty", {"fine": "1.2345678"}, "fine.format"),
    ("credit.penalty", {"fine": "-1"}, "fine.format"),
    ("credit.penalty", {"fine": "20000000"}, "fine.unit"),
    ("credit.penalty", {"fine": "2000000.01"}, "fine.unit"),
    ("credit.penalty", {"fine": None}, "fine.required"),
    ("credit.penalty", {"publish_until": None}, "publish_until.required"),
    ("credit.penalty", {"publish_until": "20260902"}, "publish_until.too_late"),
    ("credit.penalty", {"publish_until": "20250831"}, "publish_until.before_decided"),
    ("credit.penalty", {"published_on": "20250831"}, "published_on.before_decided"),
    ("credit.penalty", {"decided_on": "20251123", "published_on": None}, "decided_on.future"),
    ("credit.penalty", {"severity": "4"}, "severity.code"),
    ("credit.dishonesty", {"lifted_on": "20250831"}, "lifted_on.before_decided"),
    ("credit.commitment", {"performance": "违诺"}, "breach.required"),
    ("credit.permit", {"permit_category": "备案"}, "permit_category.code"),
    ("credit.permit", {"valid_to": "20250831"}, "valid_to.before_valid_from"),
    ("license.license", {"holder_code_type": "111"}, "holder_code.citizen_id"),
    ("license.license", {"type_code": "11100000MB0143028R"}, "type_code.length"),
    ("license.license", {"valid_from": "20310101"}, "valid_to.before_start"),
    ("license.license", {"face": "[1]"}, "face.not_an_object"),
    ("license.license", {"face": "{"}, "face.not_an_object"),
    ("license.license", {"license_state": "08"}, "license_state.code"),
]


@pytest.mark.parametrize(("code", "defect", "rule"), DEFECTS)
def test_defect_of_a_credit_or_license_row_is_named(judge: Judge, code: str, defect: Row, rule: str) -> None:
    assert judge(code, good_row(code, **defect)) == rule


@pytest.mark.parametrize("fine", ["1822800", "2000000", "0001000000.5"])
def test_fine_of_billions_is_no_mistaken_unit(judge: Judge, fine: str) -> None:
    assert judge("credit.penalty", good_row("credit.penalty", fine=fine)) is None


def test_tiers_say_how_long_a_penalty_may_be_shown(judge: Judge) -> None:
    limits = [("1", "20251201", "20251202"), ("3", "20280901", "20280902"), (None, "20280901", "20280902")]
    for severity, last, first_wrong in limits:
        assert judge("credit.penalty", good_row("credit.penalty", severity=severity, publish_until=last)) is None
        wrong = good_row("credit.penalty", severity=severity, publish_until=first_wrong)
        assert judge("credit.penalty", wrong) == "publish_until.too_late"
    CreditTier.objects.filter(code="1").update(max_months=4)
    assert judge("credit.penalty", good_row("credit.penalty", severity="1", publish_until="20251202")) is None


def test_item_is_refused_outside_the_days_its_catalogue_is_in_force(judge: Judge) -> None:
    version = CreditCatalogVersion.objects.get()
    version.effective = DateRange(date(2024, 1, 1), date(2025, 11, 22))
    version.save()
    assert judge("credit.penalty", good_row("credit.penalty"), date(2025, 11, 21)) is None
    assert judge("credit.penalty", good_row("credit.penalty"), date(2025, 11, 22)) == "item_code.not_in_catalogue"
    CreditCatalogItem.objects.all().delete()
    CreditCatalogVersion.objects.all().delete()
    assert judge("credit.penalty", good_row("credit.penalty"), date(2025, 11, 21)) == "item_code.not_in_catalogue"


def test_wrong_check_character_of_an_identifier_does_not_reject_a_license(judge: Judge) -> None:
    wrong = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.A"
    assert judge("license.license", good_row("license.license", identifier=wrong)) is None


def test_identifier_check_in_sql_agrees_with_published_vectors(db: None) -> None:
    root = "1.2.156.3005.2."
    good = [
        "11100000000013338W011.11430000006122244L.20230000403.001.U",
        "11100000000013338W011.11430000006122244L.20230000403.002.S",
        "11100000MB03271699022.340100.000000016.001.9",
        "11100000000013338W009.11330105002500287C.2025052201.002.0",
    ]
    wrong = [good[0][:-1] + "V", "11100000000013338W011.1143", "", "a.b.c.d.é"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(basedb_license_identifier_ok(v) ORDER BY n) FROM unnest(%s::text[]) WITH ORDINALITY AS g(v, n)",
            [[root + text for text in good + wrong]],
        )
        assert cursor.fetchone()[0] == [True] * 4 + [False] * 4


def test_national_field_names_lead_to_the_fields_of_the_contract() -> None:
    penalty = {alias: field.name for field in DATASETS["credit.penalty"].fields for alias in field.aliases}
    assert (penalty["CF_NR_FK"], penalty["CF_WSH"], penalty["CF_GSJZQ"]) == ("fine", "document_number", "publish_until")
    permit = {alias: field.name for field in DATASETS["credit.permit"].fields for alias in field.aliases}
    assert (permit["XK_XDR_MC"], permit["XK_YXQZI"], permit["XK_FR_SFZH"]) == ("subject_name", "valid_to", "representative_id")
