"""The map page works without scripts: legend, table with a filter, division of a point, address search, figures."""

from __future__ import annotations

from django.test import Client

from basedb.geography import figures
from tests.features.scene import Scene


def browser(scene: Scene, name: str = "police_operator") -> Client:
    client = Client()
    client.force_login(scene.city.people[name])
    return client


def test_layers_stand_in_the_legend_and_the_chosen_one_in_a_table(scene: Scene) -> None:
    page = browser(scene).get("/map/", {"layer": str(scene.parcels.uid), "table": str(scene.parcels.uid)})
    text = page.content.decode()
    assert page.status_code == 200
    assert all(layer.title in text for layer in (scene.parcels, scene.addresses, scene.zones))
    assert text.count("<tr>") >= 20
    assert "玄武区（320102）" in text, "divisions by name, in the table and where the map tells a feature's attributes"
    assert page.context["map"]["labels"][str(scene.parcels.uid)]["region_code"]["320104"] == "秦淮区"
    assert "下一页" in text


def test_the_table_is_filtered_by_an_item_and_paged(scene: Scene) -> None:
    client = browser(scene)
    asked = {"table": str(scene.parcels.uid), "item": "parcel_code", "value": "320102001001GB00007"}
    text = client.get("/map/", asked).content.decode()
    assert "320102001001GB00007" in text
    assert "320102001001GB00008" not in text
    first = client.get("/map/", {"table": str(scene.parcels.uid)})
    following = client.get(f"/map/?{first.context['table']['next']}")
    assert {row["id"] for row in first.context["table"]["rows"]}.isdisjoint(row["id"] for row in following.context["table"]["rows"])


def test_an_address_is_searched_where_the_layer_may_be_seen_and_not_put_into_the_url(scene: Scene) -> None:
    page = browser(scene).post("/map/", {"address": "测试市测试区测试路7号"})
    assert "测试市测试区测试路7号" in page.content.decode()
    assert page.context["matches"] is not None
    assert 'formaction="/map/#map"' in page.content.decode(), "the answer opens where the map is"
    picked = browser(scene).post("/map/", {"address": "测试市测试区测试路7号", "pick": "0"})
    assert picked.context["map"]["at"] is not None
    assert "at=" not in picked.content.decode().split("<main", 1)[1]
    assert browser(scene).post("/map/", {"address": "测试市测试区测试路7号", "pick": "99"}).context["map"]["at"] is None
    other = browser(scene, "market_operator").post("/map/", {"address": "测试市测试区测试路7号"})
    assert other.context["matches"] is None


def test_a_point_tells_its_division_or_that_no_outline_is_loaded(scene: Scene) -> None:
    page = browser(scene).get("/map/", {"at": "118.78,32.04"}).content.decode()
    assert "此处没有已装载的区划界线" in page.split('id="place"', 1)[1]
    assert browser(scene).get("/map/", {"at": "east,north"}).status_code == 422


def test_figures_are_a_chart_and_a_table(scene: Scene, now: object) -> None:
    figures.recount(now=now)  # type: ignore[arg-type]
    page = browser(scene).get("/map/")
    text = page.content.decode()
    assert 'data-chart="figure-chart"' in text
    assert any(row["counts"] for row in page.context["figure_rows"])


def test_the_page_has_nothing_inline(scene: Scene) -> None:
    text = browser(scene).get("/map/").content.decode()
    assert " style=" not in text.split("<main", 1)[1].split('data-chart="', 1)[0]
    assert "onclick" not in text
