"""What a grant takes away is taken away everywhere: in features, counts, filters and tiles, under masks of text and of geometry."""

from __future__ import annotations

import itertools
from collections import Counter
from math import cos, radians
from typing import Any

import mapbox_vector_tile
import pytest
from django.test import Client

from basedb.masking import Mask
from basedb.models import Place
from core.models import AuditEntry
from exchange.models import CallRecord, Grant
from tests.features.scene import NORTH, POINT, Scene, fill, make_layer

# The tile of zoom 14 around (118.78, 32.04), and its neighbour ten columns to the east.
TILE = "tiles/WebMercatorQuad/14/6651/13598"
ELSEWHERE = "tiles/WebMercatorQuad/14/6651/13698"


def drawn(body: bytes) -> list[dict[str, Any]]:
    told = mapbox_vector_tile.decode(body)
    return list(told["features"]["features"]) if told else []


def point_of(scene: Scene, grant: Grant, **asked: str) -> tuple[float, float]:
    (feature,) = scene.get(grant, address_code="A00000000", **asked).json["features"]
    assert feature["geometry"]["type"] == "Point"
    return tuple(feature["geometry"]["coordinates"])


def test_columns_that_were_not_granted_are_nowhere(scene: Scene) -> None:
    grant = scene.grant(fields=["parcel_code", "outline"])
    told = scene.get(grant, limit="1")
    assert set(told.json["features"][0]["properties"]) == {"parcel_code"}
    assert scene.get(grant, area="1001").status == 400
    assert scene.get(grant, filter="area > 1").json["details"] == {"area": "not_queryable"}
    tile = scene.get(grant, TILE)
    assert {name for feature in drawn(tile.body) for name in feature["properties"]} <= {"fid", "parcel_code"}


def test_masked_columns_are_masked_everywhere_and_cannot_be_filtered_by(scene: Scene) -> None:
    grant = scene.grant(scene.addresses, masks={"full_address": "HIDDEN", "region_code": "COUNTY"})
    assert scene.get(grant, limit="1").json["features"][0]["properties"]["full_address"] == "******"
    assert {feature["properties"]["full_address"] for feature in drawn(scene.get(grant, TILE).body)} == {"******"}
    for asked in ({"full_address": "x"}, {"filter": "full_address LIKE '%1%'"}, {"filter": "full_address IS NULL"}):
        assert scene.get(grant, **asked).status == 400


@pytest.mark.parametrize(
    ("mask", "metres"), [(Mask.SNAP_10M, 10), (Mask.SNAP_100M, 100), (Mask.SNAP_1KM, 1000), (Mask.CENTRE_1KM, 1000)]
)
def test_points_move_to_a_grid_of_at_least_so_many_metres(scene: Scene, mask: Mask, metres: int) -> None:
    grant = scene.grant(scene.addresses, masks={"location": mask.value})
    shown = {tuple(f["geometry"]["coordinates"]) for f in scene.get(grant, limit="1000").json["features"]}
    steps = sorted({round(north, 7) for _, north in shown})
    assert all((b - a) * 111_000 >= metres * 0.99 for a, b in itertools.pairwise(steps))
    columns = sorted({round(east, 7) for east, _ in shown})
    assert all((b - a) * 111_320 * cos(radians(32)) >= metres * 0.99 for a, b in itertools.pairwise(columns))
    east, north = point_of(scene, grant)
    assert (east, north) != POINT
    assert abs(north - POINT[1]) * 111_000 <= metres
    assert abs(east - POINT[0]) * 111_000 <= 2 * metres


def test_a_shape_smaller_than_the_grid_is_a_point_and_a_larger_one_stays_a_shape(scene: Scene) -> None:
    small = scene.grant(masks={"outline": "SNAP_1KM"})
    assert {f["geometry"]["type"] for f in scene.get(small, limit="50").json["features"]} <= {"Point"}
    fine = scene.grant(masks={"outline": "SNAP_10M"})
    assert {f["geometry"]["type"] for f in scene.get(fine, limit="50").json["features"]} <= {"Polygon", "MultiPolygon"}
    centre = scene.grant(masks={"outline": "CENTRE"})
    assert {f["geometry"]["type"] for f in scene.get(centre, limit="50").json["features"]} == {"Point"}


def test_a_box_around_the_true_place_does_not_betray_it(scene: Scene) -> None:
    """Otherwise halving boxes would find what the grid hides."""
    grant = scene.grant(scene.addresses, masks={"location": "SNAP_1KM"})
    east, north = POINT
    true_box = {"bbox": f"{east - 1e-5},{north - 1e-5},{east + 1e-5},{north + 1e-5}"}
    assert scene.get(grant, count="true", **true_box).json["numberMatched"] == 0
    assert scene.get(grant, filter=f"S_INTERSECTS(location, POINT({east} {north}))").json["numberReturned"] == 0
    east, north = point_of(scene, grant)
    shown_box = f"{east - 1e-5},{north - 1e-5},{east + 1e-5},{north + 1e-5}"
    assert scene.get(grant, bbox=shown_box, address_code="A00000000").json["numberReturned"] == 1


def test_precision_holds_in_tiles(scene: Scene) -> None:
    exact = drawn(scene.get(scene.grant(scene.addresses), TILE).body)
    coarse = drawn(scene.get(scene.grant(scene.addresses, masks={"location": "SNAP_1KM"}), TILE).body)
    assert len({tuple(f["geometry"]["coordinates"]) for f in exact}) > 100
    assert 0 < len({tuple(f["geometry"]["coordinates"]) for f in coarse}) <= 12


def test_tiles_hold_the_rows_of_the_grant_alone(scene: Scene) -> None:
    grant = scene.grant(region_prefix=NORTH)
    tile = scene.get(grant, "tiles/WebMercatorQuad/13/3326/6797")
    assert tile.status == 200
    assert tile.headers["Content-Type"] == "application/vnd.mapbox-vector-tile"
    assert {f["properties"]["region_code"] for f in drawn(tile.body)} == {NORTH}
    other = scene.get(scene.grant(region_prefix="330100"), "tiles/WebMercatorQuad/13/3326/6797")
    assert (other.status, other.body) == (200, b"")
    assert scene.get(grant, ELSEWHERE).body == b""


def test_a_tile_is_recorded_and_its_copy_is_asked_about_every_time(scene: Scene) -> None:
    grant = scene.grant()
    first = scene.get(grant, "tiles/WebMercatorQuad/13/3326/6797")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = scene.get(grant, "tiles/WebMercatorQuad/13/3326/6797", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    assert CallRecord.objects.filter(grant_id=grant.pk, outcome="call.answered").count() == 2
    Grant.objects.filter(pk=grant.pk).update(state="REVOKED", version=2)
    refused = scene.get(grant, "tiles/WebMercatorQuad/13/3326/6797", headers={"If-None-Match": first.headers["ETag"]})
    assert (refused.status, refused.code) == (403, "grant.revoked")


@pytest.mark.parametrize("place", ["5/12/26", "19/0/0", "14/16384/0", "14/0/16384"])
def test_tiles_outside_the_set_are_not_found(scene: Scene, place: str) -> None:
    reply = scene.get(scene.grant(), f"tiles/WebMercatorQuad/{place}")
    assert (reply.status, reply.code) == (404, "features.no_such_tile")


def test_small_scales_are_generalized(scene: Scene) -> None:
    grant = scene.grant(scene.addresses)
    near = drawn(scene.get(grant, TILE).body)
    far = drawn(scene.get(grant, "tiles/WebMercatorQuad/8/103/212").body)
    assert 0 < len(far) < len(near)


def test_the_quota_counts_tiles_and_pages(scene: Scene) -> None:
    grant = scene.grant(quota_per_day=2)
    assert scene.get(grant, limit="1").status == 200
    assert scene.get(grant, TILE).status == 200
    refused = scene.get(grant, limit="1")
    assert (refused.status, refused.code) == (429, "quota.day_exceeded")
    assert scene.get(grant, foo="bar").status == 400


def test_people_read_own_public_and_granted_layers_and_each_reading_is_audited(scene: Scene) -> None:
    from exchange.models import GrantState

    grant = scene.grant(masks={"outline": "CENTRE"}, region_prefix=NORTH)
    client = Client()
    client.force_login(scene.city.people["education_operator"])
    path = f"/openapi/v1/ogc/collections/{grant.uid}/items"
    told = client.get(path, {"limit": "1000", "count": "true"}).json()
    assert told["numberMatched"] == 400
    assert {f["geometry"]["type"] for f in told["features"]} == {"Point"}
    entry = AuditEntry.objects.filter(action="layer.viewed").latest("id")
    assert (entry.detail["layer"], entry.detail["features"]) == (str(grant.uid), 400)
    public = make_layer(
        scene.city.police,
        "geo.parcel",
        ["parcel_code", "outline"],
        grade="L1",
        share_attribute="UNCONDITIONAL",
        share_conditions="",
    )
    shown = {one["id"] for one in client.get("/openapi/v1/ogc/collections").json()["collections"]}
    assert {str(grant.uid), str(public.uid)} <= shown
    assert str(scene.parcels.uid) not in shown
    Grant.objects.filter(pk=grant.pk).update(state=GrantState.SUSPENDED, version=2)
    assert client.get(path).status_code == 404
    public.state = "WITHDRAWN"
    public.save()


def test_a_grant_that_asks_something_of_calls_opens_no_layer_to_who_cannot_meet_it(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.city.people["education_operator"])
    asked = {"matters": ["LAND-1"]}, {"control_parameters": {"area": ["north"]}}, {"ip_list": ["10.9.8.0/24"]}
    for demands in asked:
        path = f"/openapi/v1/ogc/collections/{scene.grant(**demands).uid}"
        assert client.get(path).status_code == 404, demands
        assert client.get(f"{path}/items").status_code == 404
        assert client.get(f"{path}/{TILE}").status_code == 404
    here = f"/openapi/v1/ogc/collections/{scene.grant(ip_list=['127.0.0.0/8']).uid}"
    assert client.get(f"{here}/items", {"limit": "1"}).status_code == 200


# A lattice of points in one tile of zoom 8, each in a cell of its own: more than a tile holds.
LATTICE = """
INSERT INTO basedb_place (subject_key, place_code, region_code, name, place_kind, location, source_department_id,
    source_record_id, run_id, version)
SELECT decode(md5('place' || n), 'hex'), 'P' || lpad(n::text, 8, '0'), '320102', '地名' || n, '27',
    ST_SetSRID(ST_MakePoint(109.8 + mod(n, 160) * 0.005, 29.7 + n / 160 * 0.005), 4490), %s, 1, 1, 1
FROM generate_series(%s, %s) AS n"""


def test_a_tile_that_is_too_full_is_thinned_everywhere_alike(scene: Scene) -> None:
    fill(LATTICE, scene.city.police, 0, 160 * 160 - 1)
    grant = scene.grant(make_layer(scene.city.police, "geo.place", ["place_code", "location"]))
    places = [feature["geometry"]["coordinates"] for feature in drawn(scene.get(grant, "tiles/WebMercatorQuad/8/105/206").body)]
    Place.objects.all().delete()
    assert len(places) == 20_000
    (west, east), (south, north) = ((min(side), max(side)) for side in zip(*places, strict=True))
    quarters = Counter((x > (west + east) / 2, y > (south + north) / 2) for x, y in places)
    assert len(quarters) == 4
    assert min(quarters.values()) > 4_500, quarters


def test_a_grant_narrowed_a_moment_ago_is_narrow_for_people_at_once(scene: Scene) -> None:
    grant = scene.grant()
    client = Client()
    client.force_login(scene.city.people["education_operator"])
    path = f"/openapi/v1/ogc/collections/{grant.uid}/items"
    assert "seat" in client.get(path, {"limit": "1"}).json()["features"][0]["properties"]
    Grant.objects.filter(pk=grant.pk).update(fields=["parcel_code", "outline"], version=2)
    assert set(client.get(path, {"limit": "1"}).json()["features"][0]["properties"]) == {"parcel_code"}
