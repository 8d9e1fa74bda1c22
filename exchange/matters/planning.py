"""Which grant a material is fetched under (取数计划): the usable one that covers most of it, cut down to the material's items.

Pure. What no grant covers is refused for this material alone, with the code that says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from basedb.dictionary.licenses import LICENSE
from basedb.lookup import Column, Selection
from basedb.masking import Mask
from exchange.calls import conditions, shape
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Context, Terms
from exchange.matters.content import FACE

MODE: Final = "QUERY"
TYPE_FIELD: Final = "type_code"
IDENTIFIER: Final = "identifier"
_FACE_MARK: Final = f"{FACE}."


@dataclass(frozen=True, slots=True)
class Need:
    """What a material asks for: fields of a dataset and, of a license, items of its face."""

    dataset: str
    items: tuple[str, ...]
    type_code: str = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of the dataset."""
        return tuple(item for item in self.items if not item.startswith(_FACE_MARK))

    @property
    def face(self) -> tuple[str, ...]:
        """The names of the face items."""
        return tuple(item.removeprefix(_FACE_MARK) for item in self.items if item.startswith(_FACE_MARK))


@dataclass(frozen=True, slots=True)
class Plan:
    """What may be fetched of a need: under which grant, which columns and face items; or the refusal's code."""

    terms: Terms | None = None
    selection: Selection | None = None
    face: tuple[str, ...] = ()
    beside: tuple[Column, ...] = ()  # columns read beside the items: the face, the identifier that names a license
    missing: tuple[str, ...] = field(default=())
    code: str = ""

    @property
    def items(self) -> list[str]:
        """The names of what is answered."""
        return [*(self.selection.items if self.selection else ()), *(f"{_FACE_MARK}{name}" for name in self.face)]

    def covered(self) -> int:
        """Return how many items are answered."""
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, from where, for which matter and case, and when."""

    system_id: int
    client_ip: str | None
    context: Context
    now: datetime


def plan(need: Need, grants: Iterable[tuple[str, Terms]], asking: Asking) -> Plan:
    """Return the best plan for a need out of the grants on each dataset; the later grant of two that cover alike."""
    best: Plan | None = None
    refused: list[str] = []
    for dataset, terms in grants:
        if dataset != need.dataset:
            continue
        try:
            found = _under(need, terms, asking)
        except Refusal as refusal:
            refused.append(refusal.code)
            continue
        if best is None or found.covered() >= best.covered():
            best = found
    return best or Plan(missing=need.items, code=_closest(refused))


def _closest(codes: Sequence[str]) -> str:
    """Return the refusal of the newest grant; without any there is no grant."""
    return codes[-1] if codes else "grant.not_found"


def _under(need: Need, terms: Terms, asking: Asking) -> Plan:
    """Return what one grant covers; raise what speaks against it."""
    terms, selection = shape.check_terms(terms, asking.system_id, MODE, asking.now)
    conditions.check_origin(terms.conditions, asking.client_ip)
    conditions.check_context(terms.conditions, asking.context)
    if need.dataset == LICENSE.code and not _reaches_type(selection, terms, need.type_code):
        raise Refusal("grant.not_found")
    open_columns = [column for column in selection.columns if column.mask is not Mask.HIDDEN]
    columns = tuple(column for column in open_columns if column.field in need.fields)
    of_face = next((column for column in open_columns if column.field == FACE and column.mask is Mask.NONE), None)
    face = need.face if of_face else ()
    if not columns and not face:
        raise Refusal("grant.field_not_granted")
    beside = (of_face if face else None, _identifier(need, open_columns))
    covered = {column.field for column in columns} | {f"{_FACE_MARK}{name}" for name in face}
    return Plan(
        terms=terms,
        selection=Selection(selection.dataset, columns, selection.rows),
        face=face,
        beside=tuple(column for column in beside if column is not None and column not in columns),
        missing=tuple(item for item in need.items if item not in covered),
    )


def _identifier(need: Need, columns: Sequence[Column]) -> Column | None:
    """Return the granted column that names a license."""
    named = (column for column in columns if column.field == IDENTIFIER and column.mask is Mask.NONE)
    return next(named, None) if need.dataset == LICENSE.code else None


def _reaches_type(selection: Selection, terms: Terms, type_code: str) -> bool:
    """Return whether the row filter of a grant lets through licenses of a type."""
    lists = dict(zip(selection.rows.listed, terms.lists, strict=True))
    return TYPE_FIELD not in lists or type_code in lists[TYPE_FIELD]
