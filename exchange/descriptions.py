"""What a caller must know of a grant (调用说明): its items, its key, what it asks of every call. Facts only, no document.

From these the door for systems makes the description for client generators. Secrets and people do not occur.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from basedb.dictionary import DATASETS, Kind
from basedb.identifiers import CITIZEN_ID_PATTERN, USCC_PATTERN
from basedb.masking import MASK_TITLES, Mask
from catalog import mounting
from catalog.models import DataItem, Resource
from exchange.discovery import ANY_GRANT
from exchange.models import Grant
from exchange.sources.terms import is_remote

KEY_PATTERNS: Final = {"citizen_id": CITIZEN_ID_PATTERN, "uscc": USCC_PATTERN}


@dataclass(frozen=True, slots=True)
class Item:
    """One granted item as it is answered."""

    name: str
    title: str
    data_type: str
    length: int | None
    standard: str
    mask: str
    mask_title: str


@dataclass(frozen=True, slots=True)
class Description:
    """One way to use one entry: of a grant, or with `{grant}` for a number of the entry itself, which is offered so."""

    grant: str
    mode: str
    title: str
    code: str
    version: int
    provider: str
    items: tuple[Item, ...]
    key_name: str
    is_remote: bool
    is_list: bool = False  # a subject has many rows
    purpose: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    quota_per_day: int | None = None
    quota_per_second: int | None = None
    parameters: Mapping[str, list[str]] = field(default_factory=dict)
    matters: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def of_grant(grant: Grant) -> Description:
    """Return the description of a grant; give it with its resource, provider, binding and items at hand."""
    granted = {item.name: item for item in grant.resource.items.all()}
    kept = [(name, granted.get(name), str(grant.masks.get(name, "NONE"))) for name in grant.fields]
    return Description(
        grant=str(grant.uid),
        mode=grant.mode,
        version=grant.version,
        items=tuple(_item(name, item, mask) for name, item, mask in kept),
        purpose=grant.purpose,
        valid_from=grant.valid_from,
        valid_to=grant.valid_to,
        quota_per_day=grant.quota_per_day,
        quota_per_second=grant.quota_per_second,
        parameters=grant.control_parameters,
        matters=tuple(grant.matters),
        addresses=tuple(grant.ip_list),
        **_of_entry(grant.resource),
    )


def of_entry(resource: Resource) -> list[Description]:
    """Return the descriptions of an entry nobody has been granted yet, one a mode; withheld items are left out."""
    items = tuple(_item(item.name, item, item.mask) for item in resource.items.all() if not item.is_withheld)
    facts = _of_entry(resource)
    return [
        Description(grant=ANY_GRANT, mode=mode, version=resource.version, items=items, **facts) for mode in resource.sharing_modes
    ]


def key_name_of(resource: Resource) -> str:
    """Return the name callers give the key under; `key` while an entry is not mounted."""
    dataset = _dataset(resource)
    return str(mounting.dataset(dataset).key_field) if dataset else "key"


def is_list(resource: Resource) -> bool:
    """Return whether an entry answers about one subject with many rows."""
    known = DATASETS.get(_dataset(resource))
    return known is not None and known.kind is Kind.FACT


def _dataset(resource: Resource) -> str:
    binding = getattr(resource, "binding", None)
    return binding.dataset if binding else ""


def _of_entry(resource: Resource) -> dict[str, Any]:
    return {
        "title": resource.title,
        "code": resource.code or "",
        "provider": resource.provider.name,
        "key_name": key_name_of(resource),
        "is_remote": is_remote(_dataset(resource)),
        "is_list": is_list(resource),
    }


def _item(name: str, item: DataItem | None, mask: str) -> Item:
    return Item(
        name=name,
        title=item.title if item else name,
        data_type=item.data_type if item else "C",
        length=item.length if item else None,
        standard=item.standard if item else "",
        mask=mask,
        mask_title=str(MASK_TITLES[Mask(mask)]),
    )
