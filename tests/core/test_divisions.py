"""The shipped table of divisions is complete, ordered and hierarchical."""

from collections import Counter

from core.divisions import Division, divisions


def test_table_holds_all_four_levels() -> None:
    counts = Counter(division.level for division in divisions())
    assert counts == {"PROVINCE": 31, "CITY": 342, "COUNTY": 2978, "STREET": 41352}


def test_parents_come_before_their_children() -> None:
    seen: set[str] = set()
    for division in divisions():
        assert division.parent_code is None or division.parent_code in seen
        assert division.code not in seen
        assert division.name == division.name.strip() != ""
        seen.add(division.code)


def test_city_is_read_with_everything_in_it() -> None:
    rows = list(divisions("3201"))
    assert rows[0] == Division("3201", "南京市", "CITY", "32")
    assert Division("320102", "玄武区", "COUNTY", "3201") in rows
    assert Division("320102002", "梅园新村街道", "STREET", "320102") in rows
    assert sum(row.level == "COUNTY" for row in rows) == 11


def test_city_without_counties_keeps_its_towns() -> None:
    rows = list(divisions("4419"))
    assert [row.code for row in rows if row.level != "STREET"] == ["4419", "441900"]
    assert {row.parent_code for row in rows if row.level == "STREET"} == {"441900"}
