"""Mounting (挂接): an entry is served out of a dataset of a base database, item by item.

Rooms above register their datasets and masks here when they start; nothing else is known of them. The provider proposes a
mounting while drafting, so that its head and the data centre see it before publication; afterwards the data centre alone mounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import desks
from catalog.codes import BASE_DATABASE_ITEMS, ResourceClass
from catalog.content import DATA_TYPES, Entry, Item, entry_of
from catalog.models import Binding, Resource
from catalog.workflow import Command
from core import audit
from core.audit import Actor
from core.errors import Invalid
from core.texts import listed


class Field(Protocol):
    """A column a dataset offers."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> Any: ...
    @property
    def data_type(self) -> Any: ...
    @property
    def length(self) -> int: ...
    @property
    def grade(self) -> Any: ...
    @property
    def mask(self) -> Any: ...
    @property
    def standard(self) -> str: ...


class Dataset(Protocol):
    """A table a room above can serve."""

    @property
    def code(self) -> str: ...
    @property
    def title(self) -> Any: ...
    @property
    def base_database(self) -> str: ...
    @property
    def key_field(self) -> str: ...
    @property
    def fields(self) -> Sequence[Field]: ...


class Finder(Protocol):
    """Sources a room above keeps in its tables, each of one provider."""

    def find(self, code: str) -> Dataset | None: ...
    def offered_to(self, provider_id: int) -> list[Dataset]: ...
    def fault(self, code: str, resource: Resource) -> str:
        """Return why an entry cannot be mounted on a source, or the empty string."""
        ...


_datasets: dict[str, Dataset] = {}
_finders: dict[str, Finder] = {}  # first part of a code -> who knows it
_masks: dict[str, Any] = {"NONE": gettext_lazy("不脱敏")}


def register(datasets: Iterable[Dataset], masks: Mapping[str, Any]) -> None:
    """Offer datasets for mounting and the masks their columns know; called from `AppConfig.ready()`."""
    _datasets.update((dataset.code, dataset) for dataset in datasets)
    _masks.update((str(mask), title) for mask, title in masks.items())


def register_finder(kinds: Iterable[str], finder: Finder) -> None:
    """Offer sources whose codes begin with one of these kinds and a dot; called from `AppConfig.ready()`."""
    _finders.update(dict.fromkeys(kinds, finder))


def datasets(provider_id: int | None = None) -> list[Dataset]:
    """Return what can be mounted on, by code; of a provider's own sources only when it is named."""
    own = [found for finder in dict.fromkeys(_finders.values()) for found in finder.offered_to(provider_id)] if provider_id else []
    return [_datasets[code] for code in sorted(_datasets)] + own


def mask_titles() -> Mapping[str, Any]:
    """Return the known masks with their names."""
    return _masks


def dataset(code: str) -> Dataset:
    """Return one dataset; Invalid when nobody registered it."""
    finder = _finders.get(code.partition(".")[0])
    found = _datasets.get(code) or (finder.find(code) if finder else None)
    if found is None:
        raise Invalid("mounting.unknown_dataset", _("没有这个数据集。"), {"dataset": [_("没有这个数据集。")]})
    return found


def binding_of(resource: Resource) -> Binding | None:
    """Return the mounting of an entry, if it has one."""
    return Binding.objects.filter(resource=resource).first() if resource.pk else None


def draft_from(code: str) -> Entry:
    """Return a draft pre-filled from a dataset (反向编目): its columns as items with types, grades and masks."""
    source = dataset(code)
    if source.base_database not in BASE_DATABASE_ITEMS:
        raise Invalid("mounting.unknown_dataset", _("没有这个数据集。"), {"dataset": [_("没有这个数据集。")]})
    items = tuple(
        Item(
            name=field.name,
            title=str(field.title),
            data_type=str(field.data_type) if str(field.data_type) in DATA_TYPES else "M",
            length=field.length,
            is_key=field.name == source.key_field,
            is_sensitive=str(field.grade) >= "L3",
            grade=str(field.grade),
            mask=str(field.mask),
            standard=field.standard,
        )
        for field in source.fields
    )
    return Entry(
        title="",
        classification=f"{ResourceClass.BASE}{BASE_DATABASE_ITEMS[source.base_database]}001",
        base_database=source.base_database.upper(),
        grade=max(item.grade for item in items),
        items=items,
        share_conditions="",
    )


def same_named(items: Iterable[Item], code: str) -> dict[str, str]:
    """Return the mapping of the items whose names the dataset has."""
    names = {field.name for field in dataset(code).fields}
    return {item.name: item.name for item in items if item.name in names}


def unmapped(items: Iterable[Item], columns: Mapping[str, str]) -> list[str]:
    """Return the names of the items that are shared but have no column."""
    return [item.name for item in items if not item.is_withheld and item.name not in columns]


@transaction.atomic
def mount(*, uid: UUID, dataset_code: str, columns: Mapping[str, str], revision: int, actor: Actor, now: datetime) -> Binding:
    """Mount an entry: every shared item names an existing column of the dataset, and is graded no lower than it."""
    resource = desks.open_for(uid, actor=actor, revision=revision)
    step = desks.decide_for(resource, Command.MOUNT, actor)
    kept = _checked(entry_of(resource), dataset(dataset_code), columns)
    finder = _finders.get(dataset_code.partition(".")[0])
    if finder is not None and (fault := finder.fault(dataset_code, resource)):
        raise Invalid("mounting.invalid", fault, {"dataset": [fault]})
    binding, _is_new = Binding.objects.update_or_create(
        resource=resource,
        defaults={"dataset": dataset_code, "columns": kept, "mounted_at": now, "mounted_by_id": actor.user_id},
    )
    desks.advance(resource, step, now=now)
    audit.record(
        actor,
        "resource.mounted",
        resource,
        at=now,
        department_ids=[resource.provider_id],
        dataset=dataset_code,
        columns=kept,
        revision=resource.revision,
    )
    return binding


def follow_items(resource: Resource, entry: Entry) -> None:
    """Keep the mounting of a draft in step with its items: dropped items leave it, new ones of a column's name join it."""
    binding = binding_of(resource)
    if binding is None:
        return
    kept = {item.name: binding.columns[item.name] for item in entry.items if item.name in binding.columns}
    columns = same_named(entry.items, binding.dataset) | kept
    if columns != binding.columns:
        binding.columns = columns
        binding.save(update_fields=["columns"])


def _checked(entry: Entry, source: Dataset, columns: Mapping[str, str]) -> dict[str, str]:
    fields = {field.name: field for field in source.fields}
    problems: dict[str, list[str]] = {}
    items = {item.name: item for item in entry.items}
    for name in sorted(set(columns) - set(items)):
        problems[name] = [_("目录没有这个信息项。")]
    for name, item in items.items():
        column = columns.get(name, "")
        if not column:
            if not item.is_withheld:
                problems[name] = [_("请选择对应的字段；不提供的信息项请在目录中标为不予共享。")]
        elif column not in fields:
            problems[name] = [_("数据集没有这个字段。")]
        elif item.grade < str(fields[column].grade):
            problems[name] = [_("信息项分级低于字段分级（%(grade)s），请先修改目录。") % {"grade": fields[column].grade}]
    if repeated := sorted({c for c in columns.values() if c and list(columns.values()).count(c) > 1}):
        problems["columns"] = [_("同一字段对应了多个信息项：%(names)s") % {"names": listed(repeated)}]
    if not items:
        problems["columns"] = [_("目录还没有信息项，请先编辑目录。")]
    if problems:
        raise Invalid("mounting.invalid", _("挂接对应关系有误。"), problems)
    return {name: column for name, column in columns.items() if column}
