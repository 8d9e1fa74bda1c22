"""Offering registered sources for mounting (数据源挂接): to their own department's entries, for queries and verifications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from catalog.models import Resource
from exchange.models import Source, SourceConnection, UpstreamInterface
from exchange.sources.selecting import MODES
from exchange.sources.terms import INTERFACE_PREFIX, KEY_NAMES, TABLE_PREFIX

MODELS: dict[str, type[SourceConnection] | type[UpstreamInterface]] = {
    TABLE_PREFIX: SourceConnection,
    INTERFACE_PREFIX: UpstreamInterface,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the catalogue sees it; its grade is that of the item put on it."""

    name: str
    title: str
    data_type: str = "C"
    length: int = 500
    grade: str = "L1"
    mask: str = "NONE"
    standard: str = ""


@dataclass(frozen=True, slots=True)
class Offered:
    """A source as the catalogue sees it."""

    code: str
    title: str
    key_field: str
    fields: Sequence[Column]
    base_database: str = ""


class RegisteredSources:
    """See `catalog.mounting.Finder`."""

    def find(self, code: str) -> Offered | None:
        """Return a source, also one that is switched off."""
        source = _source(code)
        return _offered(source) if source else None

    def offered_to(self, provider_id: int) -> list[Any]:
        """Return the sources of a provider that are in use."""
        rows = [row for model in MODELS.values() for row in model.objects.filter(department_id=provider_id, is_active=True)]
        return [_offered(row) for row in rows]

    def fault(self, code: str, resource: Resource) -> str:
        """Return why an entry cannot be mounted on a source."""
        source = _source(code)
        if source is None or source.department_id != resource.provider_id:
            return _("只能挂接本提供方登记的数据源。")
        if not source.is_active:
            return _("该数据源已停用。")
        if set(resource.sharing_modes) - MODES:
            return _("外部数据源只能用于检索查询和比对验证，请先从目录的共享方式中去掉其他方式。")
        return ""


def code_of(source: Source) -> str:
    """Return the code a mounting names the source by."""
    prefix = TABLE_PREFIX if isinstance(source, SourceConnection) else INTERFACE_PREFIX
    return f"{prefix}{source.uid.hex}"


def _source(code: str) -> SourceConnection | UpstreamInterface | None:
    kind, _dot, uid = code.partition(".")
    try:
        number = UUID(uid)
    except ValueError:
        return None
    return MODELS[f"{kind}."].objects.filter(uid=number).first()


def _offered(source: SourceConnection | UpstreamInterface) -> Offered:
    columns = [Column(column["name"], column.get("title") or column["name"]) for column in source.columns]
    return Offered(code_of(source), source.title, KEY_NAMES[source.key_kind], columns)
