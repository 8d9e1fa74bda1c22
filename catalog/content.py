"""What an entry says (目录内容): the elements and data items that people fill in, as values.

Forms, datasets and snapshots meet here; who may change them stands in `workflow`, what they must satisfy in `checks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from catalog.models import DataItem, Resource

DATA_TYPES = {
    "C": _("字符型"),
    "N": _("数值型"),
    "Y": _("货币型"),
    "D": _("日期型"),
    "T": _("日期时间型"),
    "L": _("逻辑型"),
    "M": _("备注型"),
    "G": _("通用型"),
    "B": _("双精度型"),
    "I": _("整型"),
    "F": _("浮点型"),
}
SOURCE_FORMATS = ("数据库", "电子表格", "电子文件", "图形图像", "流媒体", "自描述格式")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One data item (信息项)."""

    name: str
    title: str
    data_type: str = "C"
    length: int | None = None
    is_key: bool = False
    is_sensitive: bool = False
    grade: str = "L2"
    mask: str = "NONE"
    is_withheld: bool = False
    standard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The elements of an entry, in the words of the model; `region_id` None stands for the provider's region."""

    title: str
    classification: str = ""
    summary: str = ""
    keywords: str = ""
    region_id: int | None = None
    base_database: str = ""
    source_format: str = SOURCE_FORMATS[0]
    update_cycle: str = "DAILY"
    share_attribute: str = "CONDITIONAL"
    share_conditions: str = ""
    withheld_basis: str = ""
    sharing_modes: tuple[str, ...] = ()
    control_parameters: tuple[str, ...] = ()
    grade: str = "L2"
    concerns_minors: bool = False
    secrecy_assessment: str = ""
    personal_information_assessment: str = ""
    items: tuple[Item, ...] = ()


ELEMENTS = tuple(field.name for field in fields(Entry) if field.name != "items")
ITEM_ELEMENTS = tuple(field.name for field in fields(Item))


def entry_of(resource: Resource) -> Entry:
    """Return what a stored entry says."""
    values = {name: getattr(resource, name) for name in ELEMENTS}
    values["sharing_modes"] = tuple(resource.sharing_modes)
    values["control_parameters"] = tuple(resource.control_parameters)
    items = tuple(Item(**{name: getattr(item, name) for name in ITEM_ELEMENTS}) for item in resource.items.order_by("position"))
    return Entry(**values, items=items)


def items_of(resources: Sequence[Resource]) -> list[DataItem]:
    """Return the items of several entries in one query."""
    return list(DataItem.objects.filter(resource__in=[resource.pk for resource in resources]).order_by("resource", "position"))


def write(entry: Entry, resource: Resource) -> list[str]:
    """Write what an entry says into a resource and its items; return the names of the elements that changed."""
    entry = replace(entry, region_id=entry.region_id or resource.provider.region_id)
    before = entry_of(resource) if resource.pk else None
    for name in ELEMENTS:
        value = getattr(entry, name)
        setattr(resource, name, list(value) if isinstance(value, tuple) else value)
    resource.save()
    if before is None or before.items != entry.items:
        resource.items.all().delete()
        DataItem.objects.bulk_create(
            DataItem(resource=resource, position=position, **asdict(item)) for position, item in enumerate(entry.items, start=1)
        )
    return [name for name in (*ELEMENTS, "items") if before is None or getattr(before, name) != getattr(entry, name)]


def snapshot(resource: Resource) -> dict[str, Any]:
    """Return the published state as JSON: what a version keeps."""
    binding = getattr(resource, "binding", None)
    return {
        "code": resource.code,
        "provider": {"code": resource.provider.code, "name": resource.provider.name},
        **_plain(asdict(entry_of(resource))),
        "dataset": binding.dataset if binding else "",
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the elements two snapshots differ in, items as one; an element an older snapshot does not know counts as empty."""
    return [name for name in (*ELEMENTS, "items") if (before.get(name) or None) != (after.get(name) or None)]


def element_title(name: str) -> str:
    """Return the Chinese name of an element; unknown names stay as they are."""
    known = {field.name: field for field in Resource._meta.get_fields() if hasattr(field, "verbose_name")}
    if name == "items":
        return str(DataItem._meta.verbose_name)
    return str(known[name.removesuffix("_id")].verbose_name) if name.removesuffix("_id") in known else name


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
