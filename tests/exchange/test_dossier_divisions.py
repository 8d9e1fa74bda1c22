"""Dossiers say what divisions are called: of identity, household and facts, for every view, and in the history of a value."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from basedb.credit import catalog, shipped
from basedb.dictionary import DATASETS, PERSON
from basedb.dossier.facts import FactRow, FactsOf
from basedb.dossier.relations import Relations
from core.models import Region
from exchange.dossiers.reading import Dossier, read_dossier, read_history
from exchange.dossiers.rights import DossierKind, View
from exchange.dossiers.showing import items_of, section_of
from tests.exchange import dossier_scene as scene
from tests.exchange.dossier_scene import COMPARISON, FIRM, FOR_MATTER, ME, key
from tests.factories import City, make_region

P = DossierKind.PERSON
STREET = "梅园新村街道"


def read(city: City, who: str = "reviewer", **more: Any) -> Dossier:
    values = {"kind": P, "entity_key": key(ME), "purpose": COMPARISON, "now": timezone.now()} | more
    return read_dossier(actor=city.actor(who), **values)


def identity(dossier: Dossier) -> str:
    return next(value.said.text for value in dossier.identity if value.name == "region_code" and value.said)


def test_divisions_are_told_by_name_and_code_everywhere_within_six_queries(city: City) -> None:
    scene.make_person(city)
    make_region("320102002", STREET, "STREET", city.districts["320102"])
    city.actor("reviewer")
    with CaptureQueriesContext(connection) as queries:
        dossier = read(city)
    reading = [q["sql"] for q in queries.captured_queries if "core_region" in q["sql"] and "basedb_short_division" in q["sql"]]
    assert len(reading) == 1
    assert identity(dossier) == "玄武区（320102）"
    cells = {section.code: section.lines[0].cells for section in dossier.sections}
    assert f"{STREET}（320102002）" in cells["population.residence"]
    assert dossier.relations is not None
    assert dossier.relations.divisions["320102002"] == STREET, "the household's own"


def test_departments_and_masked_views_read_names_too(city: City) -> None:
    scene.make_person(city)
    scene.make_enterprise(city)
    assert identity(read(city, "police_operator", purpose=FOR_MATTER)) == "玄武区（320102）"
    assert identity(read(city, purpose=FOR_MATTER)) == "玄武区（320102）"
    assert "玄武区（320102）" in identity(read(city, kind=DossierKind.ENTERPRISE, entity_key=key(FIRM)))
    assert identity(read(city, as_of=timezone.now(), known_at=timezone.now())) == "玄武区（320102）"


def test_credit_sections_say_which_item_of_the_catalogue_a_record_is(city: City) -> None:
    shipped.load_catalog(apps)
    row = FactRow({"item_code": "0202"}, city.market.pk, city.market.name, "处罚", 1, timezone.now(), None, None)
    found = FactsOf([], {"credit.penalty": [row]}, {"credit.penalty": 1})
    view = View(None, is_plain=True, sees_candidates=True, sees_accesses=True, items=catalog.names_of(items_of(found)))
    assert section_of(DATASETS["credit.penalty"], found, Relations(), view).lines[0].cells == ["行政处罚信息（0202）"]


def test_unknown_code_stays_a_code_and_the_standing_name_comes_before_a_former_one(city: City) -> None:
    Region.objects.filter(code="320104").update(valid_from=date(2013, 3, 1))
    Region.objects.create(code="320104", name="旧秦淮区", level="COUNTY", parent=city.region, valid_to=date(2013, 3, 1))
    scene.make_person(city)
    scene.deliver(PERSON, [scene.person(ME, "王建国", region_code="320104")], department=city.police)
    assert identity(read(city)) == "秦淮区（320104）"
    scene.deliver(PERSON, [scene.person(ME, "王建国", region_code="320199")], department=city.police)
    assert identity(read(city)) == "320199"
    told = read_history(
        kind=P, entity_key=key(ME), name="region_code", actor=city.actor("reviewer"), purpose=COMPARISON, now=timezone.now()
    )
    assert {"320199", "秦淮区（320104）", "玄武区（320102）"} <= {text for text, _version in told.lines}
