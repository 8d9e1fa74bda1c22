"""CQL2 text: precedence, types, what is refused, and that no text of a caller becomes SQL."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exchange.models import Grant
from tests.features.scene import Scene


@pytest.fixture(scope="module")
def grant(scene: Scene) -> Grant:
    return scene.grant(fields=["parcel_code", "region_code", "land_use", "area", "registered_on", "outline"])


COUNTS = {
    "land_use = '0701'": 160,
    "land_use <> '0701'": 640,
    "NOT land_use = '0701'": 640,
    "area >= 1000 AND area < 1010": 10,
    "area = 1000 OR area = 1001 AND land_use = '0701'": 1,
    "(area = 1000 OR area = 1001) AND land_use = '0701'": 1,
    "area = 1001 OR area = 1002 AND land_use = '9999'": 1,
    "(area = 1001 OR area = 1002) AND land_use = '9999'": 0,
    "NOT (area > 1000 OR land_use = '0501')": 1,
    "area BETWEEN 1000 AND 1004": 5,
    "area NOT BETWEEN 1000 AND 1004": 795,
    "area IN (1000, 1001.0, 9)": 2,
    "land_use NOT IN ('0501')": 160,
    "parcel_code LIKE '%0001_'": 10,
    "parcel_code NOT LIKE '3201%'": 0,
    "registered_on = DATE('2020-01-03')": 1,
    "registered_on < TIMESTAMP('2020-01-02T16:00:00Z')": 2,
    "registered_on IS NULL": 0,
    "registered_on IS NOT NULL": 800,
    "1000 = area": 1,
    '"area" = 1000': 1,
    "TRUE": 800,
    "FALSE": 0,
    "S_INTERSECTS(outline, POINT(118.7001 32.0001))": 1,
    "s_intersects(geometry, BBOX(118.70, 32.00, 118.7015, 32.0005))": 2,
    "S_INTERSECTS(outline, BBOX(118, 31, -170, 33))": 800,  # across the antimeridian
    "S_INTERSECTS(outline, BBOX(170, 31, -170, 33))": 0,
    "S_INTERSECTS(outline, MULTIPOINT((118.7001 32.0001), (118.7011 32.0001)))": 2,
    "S_INTERSECTS(outline, POLYGON((118.70 32, 118.7015 32, 118.7015 32.0005, 118.70 32.0005, 118.70 32))) AND area > 1000": 1,
}


@pytest.mark.parametrize("text", COUNTS)
def test_filters_mean_what_the_standard_says(scene: Scene, grant: Grant, capsys: pytest.CaptureFixture[str], text: str) -> None:
    reply = scene.get(grant, filter=text, count="true", limit="1")
    assert reply.status == 200, reply.body
    assert reply.json["numberMatched"] == COUNTS[text]
    assert capsys.readouterr().out == "", "what somebody asks for stands in no log"


REFUSED = [
    "",
    "area",
    "area = ",
    "area = 'x'",
    "land_use = 1",
    "land_use = '0701' AND",
    "area = 1; DROP TABLE basedb_parcel",
    "land_use = 'x' UNION SELECT secret FROM exchange_credential",
    "land_use = 'x' --",
    "1 = 1",
    "'x' = 'x'",
    "pg_sleep(5) = 1",
    "found.area = 1",
    "seat = 'x'",
    '"seat" IS NULL',
    "subject_key IS NULL",
    "source_department_id = 1",
    '"area" = 1) OR (1 = 1',
    '"a"" OR 1=1 --" = 1',
    "area = 1e999",
    "area LIKE '1%'",
    "registered_on = '2020-01-01'",
    "registered_on = DATE('2020-13-01')",
    "S_INTERSECTS(seat, POINT(1 2))",
    "S_INTERSECTS(outline, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))",
    "S_INTERSECTS(outline, POLYGON((0 0, 1 1)))",
    "S_INTERSECTS(outline, POINT(500 2))",
    "S_INTERSECTS(outline, SRID=3857;POINT(1 2))",
    "S_WITHIN(outline, POINT(1 2))",
    "NOT " * 30 + "area = 1",
    "(" * 1500,
    "area = 1 OR " * 400 + "area = 1",
    f"area IN ({','.join(['1'] * 101)})",
    f"land_use = '{'x' * 501}'",
    "land_use = '\x00'",
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_filter_over_granted_items_is_refused(scene: Scene, grant: Grant, text: str) -> None:
    reply = scene.get(grant, filter=text)
    assert reply.status == 400, reply.body
    assert reply.code in ("features.invalid_filter", "features.invalid_parameter")


@pytest.mark.parametrize(
    "value", ["it''s", "x''); DROP TABLE basedb_parcel; --", "$1", "%s", "<<grant_id>>", "<<?>>", "%(limit)s", "\\"]
)
def test_values_stay_values(scene: Scene, grant: Grant, value: str) -> None:
    filtered = scene.get(grant, filter=f"land_use = '{value}'")
    assert filtered.status == 400 if value == "\\" else filtered.json["numberReturned"] == 0
    assert scene.get(grant, land_use=value).json["numberReturned"] == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="abland_use=<>'\"()%;-,.0123456789 ANDORNTIS\\$<>?", max_size=60))
def test_no_text_breaks_the_door(scene: Scene, grant: Grant, text: str) -> None:
    assert scene.get(grant, filter=text, limit="1").status in (200, 400)


NOT_SO_WRITTEN = {"area": ("1_001", "１００１", "1e400", "infinity", "0x1"), "registered_on": ("20-01-03", "２０２０-01-03", "now")}


def test_values_python_reads_and_the_database_does_not_are_refused_or_rewritten(scene: Scene, grant: Grant) -> None:
    for name, values in NOT_SO_WRITTEN.items():
        for value in values:
            reply = scene.get(grant, **{name: value})
            assert (reply.status, reply.json["details"]) == (400, {name: "not_a_value_of_this_item"}), value
    assert scene.get(grant, area=" 1001.0 ").json["numberReturned"] == 1
    assert scene.get(grant, registered_on="2020-W01-5").json["numberReturned"] == 1, "the third of January, written by the week"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="0123456789 _.,+-eExXWnaif１T:Z", max_size=12))
def test_no_value_of_a_parameter_breaks_the_door(scene: Scene, grant: Grant, text: str) -> None:
    for name in ("area", "registered_on", "bbox", "datetime"):
        assert scene.get(grant, limit="1", **{name: text}).status in (200, 400)
