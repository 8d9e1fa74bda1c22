"""The rulebook of a license type (照面项目): which items stand on the face of a license and what each of them must be.

Pure: `Rulebook.of` reads what a version of a type holds, `faults` judges the face of a license, `shown` writes it as people read
it. Holder, issuer, dates and numbers every license has are not items (see `layout.BUILT_IN`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.code_sets import CODE_SETS
from basedb.dictionary import DATASETS
from basedb.dictionary.contract import Grade
from basedb.masking import OF_GEOMETRY, Mask
from core.texts import headed
from licenses.types.faults import Fault, Reader, quoted, readable, refuse
from licenses.types.printed import day_printed

__all__ = ["MASKS", "MOST_ITEMS", "Fault", "Item", "ItemKind", "Rulebook"]

NAME_PATTERN = "[a-z][a-z0-9_]{0,39}"
MOST_ITEMS = 80
LONGEST_VALUE = 4000
MOST_CHOICES = 200
MASKS = tuple(mask.value for mask in Mask if mask not in OF_GEOMETRY)

_NAME = re.compile(NAME_PATTERN)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,8})?")
_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ItemKind(StrEnum):
    """What the value of an item is; values are texts, dates as `2026-01-31`."""

    TEXT = "TEXT"
    DATE = "DATE"
    NUMBER = "NUMBER"
    CODE = "CODE"
    AMOUNT = "AMOUNT"


SIZED = (ItemKind.TEXT, ItemKind.NUMBER, ItemKind.AMOUNT)
KIND_TITLES = {
    ItemKind.TEXT: gettext_lazy("文字"),
    ItemKind.DATE: gettext_lazy("日期"),
    ItemKind.NUMBER: gettext_lazy("数值"),
    ItemKind.CODE: gettext_lazy("代码"),
    ItemKind.AMOUNT: gettext_lazy("金额"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the face. `codes` names a code set of the base databases; `choices` are values of its own instead.

    `length` is the most characters of a text or number, `source` the item of a base database it is filled from, `example`
    what previews show. `grade` and `mask` say how sensitive it is and how it is shown to whom it is not all shown.
    """

    name: str
    title: str
    kind: ItemKind = ItemKind.TEXT
    length: int = 100
    required: bool = False
    codes: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    grade: Grade = Grade.L2
    mask: Mask = Mask.NONE
    source: str = ""
    example: str = ""

    @property
    def labels(self) -> Mapping[str, str]:
        """The codes of a coded item with their labels."""
        return CODE_SETS[self.codes].labels if self.codes else dict(self.choices)

    def fault(self, value: str) -> tuple[str, str] | None:
        """Return what is wrong with a value that was given (code, sentence), or None."""
        if not readable(value.replace("\n", "")):
            return "value.control_characters", _("不能含有控制字符。")
        if self.kind in SIZED and len(value) > self.length:
            return "value.too_long", _("最多 %(most)d 个字，现有 %(count)d 个字。") % {"most": self.length, "count": len(value)}
        match self.kind:
            case ItemKind.DATE if not _is_day(value):
                wrong = "value.not_a_date", _("请填写有效的日期，例如 2026-01-31。")
            case ItemKind.NUMBER if not _NUMBER.fullmatch(value):
                wrong = "value.not_a_number", _("请填写数字，例如 89.50，不带单位和千分位。")
            case ItemKind.AMOUNT if not _AMOUNT.fullmatch(value):
                wrong = "value.not_an_amount", _("请填写金额，例如 1200.00，不带单位和千分位，最多两位小数。")
            case ItemKind.CODE if value not in self.labels:
                wrong = "value.unknown_code", _("没有代码“%(value)s”，请从代码表中选择。") % {"value": quoted(value[:20])}
            case _:
                return None
        return wrong

    def shown(self, value: str) -> str:
        """Return a value as it is printed: the label of a code, a day in Chinese writing, an amount with its commas."""
        match self.kind:
            case ItemKind.CODE:
                return self.labels.get(value, value)
            case ItemKind.DATE if _is_day(value):
                return day_printed(date.fromisoformat(value))
            case ItemKind.AMOUNT if _AMOUNT.fullmatch(value):
                whole, dot, rest = value.partition(".")
                return f"{int(whole):,}{dot}{rest}"
        return value

    def to_json(self) -> dict[str, Any]:
        """Return the item as a version of a type keeps it."""
        return {
            "name": self.name,
            "title": self.title,
            "kind": self.kind.value,
            "length": self.length,
            "required": self.required,
            "codes": self.codes,
            "choices": [list(choice) for choice in self.choices],
            "grade": self.grade.value,
            "mask": self.mask.value,
            "source": self.source,
            "example": self.example,
        }


@dataclass(frozen=True)
class Rulebook:
    """The items of a type in their order."""

    items: tuple[Item, ...] = field(default=())

    @classmethod
    def of(cls, given: Any) -> Rulebook:
        """Read a rulebook, or raise `Invalid` naming every wrong field."""
        rulebook, faults = read(given)
        refuse("rulebook.invalid", _("照面项目有 %(count)d 处不符合要求，请按所列字段修改。") % {"count": len(faults)}, faults)
        return rulebook

    @cached_property
    def by_name(self) -> Mapping[str, Item]:
        """The items by their names."""
        return {item.name: item for item in self.items}

    def faults(self, face: Mapping[str, Any]) -> list[Fault]:
        """Return everything wrong with the face of a license; an empty value counts as not given."""
        found = [
            Fault(quoted(name), "item.unknown", _("本类型证照没有“%(name)s”这一照面项目。") % {"name": quoted(name)})
            for name in face
            if name not in self.by_name
        ]
        for item in self.items:
            value = face.get(item.name, "")
            if not isinstance(value, str):
                found.append(Fault(item.name, "value.not_a_text", _("%(title)s：值应为文字。") % {"title": item.title}))
            elif not value.strip():
                if item.required:
                    found.append(Fault(item.name, "value.missing", _("%(title)s：此项必填。") % {"title": item.title}))
            elif wrong := item.fault(value):
                found.append(Fault(item.name, wrong[0], headed(item.title, wrong[1])))
        return found

    def shown(self, face: Mapping[str, Any]) -> dict[str, str]:
        """Return the face as people read it, every item of the rulebook; what is not given is empty."""
        return {item.name: item.shown(str(face.get(item.name) or "")) for item in self.items}

    def example(self) -> dict[str, str]:
        """Return a face without faults, made of the items' examples; it is about nobody."""
        return {item.name: item.example.strip() or _made_up(item) for item in self.items}

    def to_json(self) -> list[dict[str, Any]]:
        """Return the rulebook as a version of a type keeps it."""
        return [item.to_json() for item in self.items]


def read(given: Any) -> tuple[Rulebook, list[Fault]]:
    """Read a rulebook and return it with everything wrong with it; what was wrong is left out or read as its default."""
    faults: list[Fault] = []
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        return Rulebook(), [Fault("items", "shape.wrong", _("照面项目应为一个列表。"))]
    if len(given) > MOST_ITEMS:
        return Rulebook(), [
            Fault("items", "items.too_many", _("一种证照最多 %(most)d 个照面项目，现有 %(count)d 个。") % {
                "most": MOST_ITEMS, "count": len(given)
            })
        ]  # fmt: skip
    items = [_item(Reader(one, f"items[{place}]", faults)) for place, one in enumerate(given)]
    for attribute, code, message in (
        ("name", "item.duplicate_name", _("项目名称“%(given)s”重复，每个项目的名称只能用一次。")),
        ("title", "item.duplicate_title", _("项目标题“%(given)s”重复，请改成能区分的标题。")),
    ):
        seen: set[str] = set()
        for place, item in enumerate(items):
            value = getattr(item, attribute)
            if value and value in seen:
                faults.append(Fault(f"items[{place}].{attribute}", code, message % {"given": value}))
            seen.add(value)
    return Rulebook(tuple(items)), faults


def _item(reader: Reader) -> Item:
    name = reader.text("name", most=40, required=True)
    if name and not _NAME.fullmatch(name):
        reader.fault("name", "item.name_form", _("项目名称以小写字母开头，只含小写字母、数字和下划线，最多 40 个字符。"))
    before = len(reader.faults)
    item = Item(
        name=name,
        title=reader.text("title", most=60, required=True),
        kind=ItemKind(reader.choice("kind", [kind.value for kind in ItemKind], "TEXT")),
        length=reader.whole("length", least=1, most=LONGEST_VALUE, default=100),
        required=reader.flag("required"),
        codes=_codes(reader),
        choices=_choices(reader),
        grade=Grade(reader.choice("grade", [grade.value for grade in Grade], "L2")),
        mask=Mask(reader.choice("mask", MASKS, "NONE")),
        source=_source(reader),
        example=reader.text("example", most=LONGEST_VALUE, in_lines=True),
    )
    reader.close()
    if item.kind is ItemKind.CODE and bool(item.codes) == bool(item.choices) and len(reader.faults) == before:
        reader.fault("codes", "item.codes_missing", _("代码类项目要么选用一个代码集，要么自列代码，二者选一。"))
    elif item.kind is not ItemKind.CODE and (item.codes or item.choices):
        reader.fault("codes", "item.codes_unused", _("只有代码类项目才能有代码集或自列代码。"))
    elif item.example and len(reader.faults) == before and (wrong := item.fault(item.example)):
        reader.fault("example", wrong[0], wrong[1])
    return item


def _codes(reader: Reader) -> str:
    codes = reader.text("codes", most=60)
    if codes and codes not in CODE_SETS:
        reader.fault("codes", "item.unknown_code_set", _("没有代码集“%(given)s”，请从列表中选择。") % {"given": codes})
        return ""
    return codes


def _choices(reader: Reader) -> tuple[tuple[str, str], ...]:
    given = reader.left.pop("choices", [])
    whole = isinstance(given, Sequence) and not isinstance(given, str | bytes) and len(given) <= MOST_CHOICES
    pairs = [tuple(pair) for pair in given if isinstance(pair, Sequence) and not isinstance(pair, str | bytes)] if whole else []
    right = all(
        len(pair) == 2 and all(isinstance(word, str) and word.strip() and len(word) <= 60 and readable(word) for word in pair)
        for pair in pairs
    )
    if not whole or not right or len(pairs) != len(given) or len({pair[0] for pair in pairs}) != len(pairs):
        text = _("自列代码应为“代码、名称”成对的列表，代码不重复，每个最多 60 个字，总数不超过 %(most)d。")
        reader.fault("choices", "item.choices_wrong", text % {"most": MOST_CHOICES})
        return ()
    return tuple((str(code), str(label)) for code, label in pairs)


def _source(reader: Reader) -> str:
    source = reader.text("source", most=100)
    dataset, _dot, name = source.rpartition(".")
    if source and (dataset not in DATASETS or name not in DATASETS[dataset].field_names):
        text = _("没有基础库字段“%(given)s”，应写作“数据集.字段”，例如 population.person.name。")
        reader.fault("source", "item.unknown_source", text % {"given": source})
        return ""
    return source


def _is_day(value: str) -> bool:
    try:
        return bool(_DAY.fullmatch(value) and date.fromisoformat(value))
    except ValueError:
        return False


def _made_up(item: Item) -> str:
    match item.kind:
        case ItemKind.DATE:
            return "2026-01-31"
        case ItemKind.NUMBER | ItemKind.AMOUNT:
            return "8"
        case ItemKind.CODE:
            return next(iter(item.labels), "")
    return item.title.strip()[: item.length].strip()
