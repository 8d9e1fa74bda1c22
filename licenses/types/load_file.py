"""Files of license types (证照目录文件): JSON (a list, or an object with `types`) and CSV with Chinese or English headers.

What is wrong with a row is said in the row; Invalid only when the file is no such file. Nothing is written here.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.models import Department
from core.texts import headed
from licenses.types import layout as layouts
from licenses.types import load_words
from licenses.types import rulebook as rulebooks
from licenses.types.comparing import Content
from licenses.types.facts import TITLES, TypeFacts
from licenses.types.faults import Fault, Reader
from licenses.types.layout import BUILT_IN, Layout
from licenses.types.rulebook import Rulebook

LARGEST = 4_000_000
MOST_ROWS = 1_000
SHIPPED_TYPES = Path(__file__).parents[2] / "basedb" / "data" / "license_types.json"
SHIPPED_RULEBOOKS = Path(__file__).parents[1] / "data" / "types"
SHIPPED_REPEATABLE = Path(__file__).parents[1] / "data" / "repeatable_types.json"


@dataclass(frozen=True, slots=True)
class Use:
    """A use a row brings."""

    matter: str
    purpose: str
    basis: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row as read: its facts (None when they cannot be read), face, layout and uses, and what is wrong with it."""

    number: int
    code: str
    name: str
    facts: TypeFacts | None
    rulebook: Rulebook = field(default_factory=Rulebook)
    layout: Layout = field(default_factory=Layout)
    uses: tuple[Use, ...] = ()
    department: Department | None = None
    effective_from: date | None = None
    faults: tuple[str, ...] = ()

    @property
    def content(self) -> Content:
        """Everything the row says of the type."""
        if self.facts is None:
            raise ValueError("a row whose facts cannot be read has no content")
        return Content(self.facts, self.rulebook, self.layout)


def rows_of(content: bytes, file_name: str) -> list[Row]:
    """Read a file of types."""
    if len(content) > LARGEST:
        raise _wrong(_("文件超过 4 MB，请分成几份装载。"))
    given, shared = _records(_text(content), is_json=file_name.lower().endswith(".json"))
    if not given:
        raise _wrong(_("文件里没有证照类型。"))
    if len(given) > MOST_ROWS:
        raise _wrong(_("一次最多装载 %(most)d 个类型，现有 %(count)d 个。") % {"most": MOST_ROWS, "count": len(given)})
    departments = {row.code: row for row in Department.objects.filter(valid_to=None)}
    return [_row(number, record, shared, departments) for number, record in enumerate(given, 1)]


def shipped_rows() -> list[Row]:
    """Return the types the platform is shipped with, some of them with face items, layout and uses."""
    listed = json.loads(SHIPPED_TYPES.read_text(encoding="utf-8"))
    laid_out = {
        one["code"]: one for one in (json.loads(path.read_text(encoding="utf-8")) for path in SHIPPED_RULEBOOKS.glob("*.json"))
    }
    repeatable = set(json.loads(SHIPPED_REPEATABLE.read_text(encoding="utf-8"))["types"])
    records = [{"is_repeatable": one["code"] in repeatable} | one | laid_out.get(one["code"], {}) for one in listed["types"]]
    return [_row(number, one, {"effective_from": listed["effective_from"]}, {}) for number, one in enumerate(records, 1)]


def _text(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _wrong(_("文件不是 UTF-8 或 GB18030 编码的文本。"))


def _records(text: str, *, is_json: bool) -> tuple[list[Any], Mapping[str, Any]]:
    """Return the rows and what the file says for all of them."""
    if is_json:
        try:
            given = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise _wrong(_("文件不是 JSON 格式。")) from error
        shared = given if isinstance(given, dict) else {}
        rows = shared.get("types") if shared else given
        if not isinstance(rows, list):
            raise _wrong(_("JSON 文件应为列表，或带有 types 列表的对象。"))
        return rows, shared
    try:
        table = list(csv.reader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise _wrong(_("文件不是 CSV 格式。")) from error
    header = [load_words.HEADERS.get(name.strip(), name.strip()) for name in table[0]] if table else []
    if "code" not in header or "name" not in header:
        raise _wrong(_("CSV 文件第一行应为表头，至少有“证照类型代码”和“证照类型名称”。"))
    return [_cells(header, line) for line in table[1:] if any(cell.strip() for cell in line)], {}


def _cells(header: Sequence[str], line: Sequence[str]) -> dict[str, str]:
    """Return the filled cells of a line by their headers; what stands beyond the header keeps its number, to be refused."""
    names = [*header, *(_("第 %(number)d 列") % {"number": number + 1} for number in range(len(header), len(line)))]
    return {name: cell.strip() for name, cell in zip(names, line, strict=False) if cell.strip()}


def _row(number: int, given: Any, shared: Mapping[str, Any], departments: Mapping[str, Department]) -> Row:
    faults: list[Fault] = []
    reader = Reader(given, "", faults)
    reader.left.pop("version", None)
    facts = _facts(reader)
    effective_from = _day(reader, shared.get("effective_from"))
    keeper = reader.text("department", most=18)
    if keeper and keeper not in departments:
        reader.fault("department", "department.unknown", _("没有代码为 %(code)s 的部门。") % {"code": keeper})
    book, wrong = rulebooks.read(reader.left.pop("rulebook", []))
    faults += [Fault(f"rulebook.{fault.field}", fault.code, fault.message) for fault in wrong]
    page, wrong = layouts.read(reader.left.pop("layout", {}))
    faults += [Fault(f"layout.{fault.field}", fault.code, fault.message) for fault in wrong]
    uses = _uses(reader, book)
    reader.close()
    if not faults:
        faults += facts.faults()
        if book.items or page.elements:
            faults += page.faults(book)
    return Row(
        number=number,
        code=facts.code,
        name=facts.name,
        facts=facts,
        rulebook=book,
        layout=page,
        uses=uses,
        department=departments.get(keeper),
        effective_from=effective_from,
        faults=tuple(headed(TITLES.get(fault.field, fault.field), fault.message) for fault in faults),
    )


def _facts(reader: Reader) -> TypeFacts:
    months = _number(reader, "validity_months")
    holder = reader.text("holder_kind", most=30)
    validity = reader.text("validity_kind", most=20) or ("MONTHS" if months else "STATED")
    code = reader.text("code", most=40).strip()
    return TypeFacts(
        code=code,
        name=reader.text("name", most=200).strip(),
        defining_body=reader.text("defining_body", most=200).strip(),
        defining_body_code=reader.text("defining_body_code", most=18).strip() or code[:18],
        holder_kind=load_words.HOLDERS.get(holder, holder),
        holders_at_most=_number(reader, "holders_at_most") or 1,
        validity_kind=load_words.VALIDITIES.get(validity, validity),
        validity_months=months,
        is_repeatable=_flag(reader, "is_repeatable"),
    )


def _number(reader: Reader, name: str) -> int | None:
    """Take a whole number that may be missing; files of tables write it as text."""
    given = reader.left.pop(name, None)
    if given in (None, ""):
        return None
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 6:
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 100_000:
        return given
    reader.fault(name, "number.wrong", _("应为整数。"))
    return None


def _flag(reader: Reader, name: str) -> bool:
    """Take a yes or no that may be missing; files of tables write it as a word."""
    given = reader.left.get(name)
    if isinstance(given, str):
        reader.left[name] = load_words.FLAGS.get(given.strip(), given)
    return reader.flag(name)


def _day(reader: Reader, shared: Any) -> date | None:
    given = reader.left.pop("effective_from", shared)
    if given in (None, ""):
        return None
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        reader.fault("effective_from", "date.wrong", _("施行日期应写作 2026-01-31。"))
        return None


def _uses(reader: Reader, book: Rulebook) -> tuple[Use, ...]:
    given = reader.left.pop("uses", [])
    if not isinstance(given, list) or len(given) > 200:
        reader.fault("uses", "shape.wrong", _("用证清单应为列表，最多 200 条。"))
        return ()
    uses = []
    for place, one in enumerate(given):
        inner = Reader(one, f"uses[{place}]", reader.faults)
        words = {
            name: inner.text(name, most=most, required=True) for name, most in (("matter", 200), ("purpose", 200), ("basis", 300))
        }
        items = inner.left.pop("items", [])
        inner.close()
        names = items if isinstance(items, list) and all(isinstance(name, str) for name in items) else []
        if not names or any(name not in book.by_name and name not in BUILT_IN for name in names):
            inner.fault("items", "item.unknown", _("用证项目应为照面项目名称的列表，至少一个。"))
        uses.append(Use(**words, items=tuple(dict.fromkeys(names))))
    if len({(use.matter, use.purpose) for use in uses}) != len(uses):
        reader.fault("uses", "use.duplicate", _("同一事项、同一用途只能有一条。"))
    return tuple(uses)


def _wrong(text: str) -> Invalid:
    return Invalid("license_type.file_unreadable", text, {"file": [text]})
