"""Loading types in bulk: the shipped eighty-five, files of tables, results line by line, and nothing half loaded."""

from __future__ import annotations

import json
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from basedb.models import LicenseType
from core.errors import Forbidden, Invalid
from licenses.models import TypeUse, TypeVersion
from licenses.types import loading, publishing
from licenses.types.publishing import today
from tests.factories import City
from tests.licenses.types_scene import BODY, ITEMS, LAYOUT, draft_type, load_shipped, next_version, published_type


def row(serial: int = 1, **values: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "code": f"{BODY}{serial:03d}",
        "name": f"批量证{serial}",
        "defining_body": "试验部",
        "holder_kind": "自然人",
    }
    return given | values


def load(city: City, now: datetime, *rows: Any, name: str = "types.json", **shared: Any) -> loading.Outcome:
    content = json.dumps({"types": rows, **shared}).encode()
    return loading.load(content=content, file_name=name, actor=city.actor("reviewer"), now=now)


def told(city: City, now: datetime, *rows: Any) -> list[tuple[int, tuple[str, ...]]]:
    with pytest.raises(Invalid) as refused:
        load(city, now, *rows)
    assert refused.value.details["file"]
    outcome = loading.preview(
        content=json.dumps(rows).encode(), file_name="types.json", actor=city.actor("reviewer"), now=now
    )  # fmt: skip
    return [(line.number, line.faults) for line in outcome.faulty]


def test_the_shipped_types_are_loaded_once_with_nine_faces(city: City, now: datetime) -> None:
    done = load_shipped(city.centre, now)
    assert done.new_count == TypeVersion.objects.count() == 85
    assert TypeVersion.objects.exclude(rulebook=[]).count() == 9
    assert TypeVersion.objects.filter(is_repeatable=True).count() == 25
    assert TypeVersion.objects.get(name="食品经营许可证").is_repeatable
    assert LicenseType.objects.filter(effective__contains=today(now)).count() == 85
    assert TypeUse.objects.filter(effective__contains=today(now)).count() > 15
    assert set(TypeVersion.objects.values_list("department", flat=True)) == {city.centre.pk}
    again = load_shipped(city.police, now)
    assert (again.new_count, len(again.lines)) == (0, 0)


def test_the_command_loads_what_is_shipped_and_files(city: City, tmp_path: Path) -> None:
    out = StringIO()
    call_command("load_license_types", "--keeper", f"公安部={city.police.code}", stdout=out)
    assert out.getvalue().startswith("85 new")
    assert TypeVersion.objects.filter(department=city.police).count() == 12
    path = tmp_path / "more.json"
    path.write_text(json.dumps([row(1), row(2, code="short")]))
    with pytest.raises(CommandError, match="2 short"):
        call_command("load_license_types", str(path), stdout=out)
    assert TypeVersion.objects.count() == 85


def test_a_table_with_chinese_headers_is_loaded(city: City, now: datetime) -> None:
    head = "证照类型代码,证照类型名称,定义机构,定义机构代码,持证主体类型,有效期（月）,维护部门代码,施行日期,同一主体可持有多份"
    lines = [
        f"{BODY}001,甲证,试验部,{BODY},自然人,36,{city.market.code},2020-01-01,是",
        f"{BODY}002,乙证,试验部,,法人及非法人组织,,,,",
    ]
    content = "\n".join([head, *lines, ",,,,,,,,"]).encode("gb18030")
    done = loading.load(content=content, file_name="types.csv", actor=city.actor("reviewer"), now=now)
    assert done.new_count == 2
    first = TypeVersion.objects.get(name="甲证")
    assert first.is_repeatable
    assert (first.department, first.validity_months, first.effective.lower) == (city.market, 36, date(2020, 1, 1))
    second = TypeVersion.objects.get(name="乙证")
    assert (second.department, second.holder_kind, second.validity_kind) == (city.centre, "LEGAL_ENTITY", "STATED")


def test_faults_are_told_line_by_line_and_nothing_is_kept(city: City, now: datetime) -> None:
    bad_book = [ITEMS[0], ITEMS[0]]
    found = told(
        city, now, row(1), row(2, code="X"), row(3, validity_kind="MONTHS"), row(1), row(5, rulebook=bad_book, layout=LAYOUT),
        row(6, colour=1), row(7, department="9"), 5, row(8, effective_from="31/1"), row(9, rulebook=ITEMS),
        row(10, is_repeatable="maybe"),
    )  # fmt: skip
    assert [number for number, _ in found] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert TypeVersion.objects.count() == 0
    assert not LicenseType.objects.filter(code__startswith=BODY).exists()
    texts = dict(found)
    assert "有效期（月）" in texts[3][0]
    assert any("rulebook.items[1].name" in text for text in texts[5])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.json"), (b"{}", "a.json"), (b"[]", "a.json"), (b"{", "a.json"), (b"[" * 100_000, "a.json"), (b"a,b\n1,2", "a.csv"),
        (b"", "a.csv"), (b"\xff\xfe\x00", "a.csv"), (b'code,name\n"x', "a.csv"), (b" " * 4_000_001, "a.json"),
    ],
)  # fmt: skip
def test_what_is_no_such_file_is_refused(city: City, now: datetime, content: bytes, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        loading.preview(content=content, file_name=name, actor=city.actor("reviewer"), now=now)
    assert refused.value.code == "license_type.file_unreadable"


def test_a_listed_type_gets_a_next_version_and_one_with_a_face_is_its_departments(city: City, now: datetime) -> None:
    load(city, now, row(1), effective_from="2020-01-01")
    assert load(city, now, row(1)).unchanged_count == 1
    assert load(city, now, row(1, name="改名证")).next_count == 1
    assert [one.version for one in LicenseType.objects.filter(code=f"{BODY}001").order_by("effective")] == ["1", "2"]
    made = published_type(city, now)
    faults = told(city, now, row(int(made.code[-3:]), code=made.code))
    assert "市公安局" in faults[0][1][0]
    next_version(city, made.code, now)
    drafted = draft_type(city, now)
    assert told(city, now, row(code=drafted.code))
    publishing.retire(code=f"{BODY}001", reason="停用", actor=city.actor("reviewer"), now=now)
    assert told(city, now, row(1, name="再来"))


def test_loading_is_the_data_centres(city: City, now: datetime) -> None:
    for who in ("police_head", "system_admin", "auditor"):
        with pytest.raises(Forbidden):
            loading.load(content=b"[]", file_name="a.json", actor=city.actor(who), now=now)
