"""What of a dossier is shown and how (档案展示): values with source, date, rule and doubt, facts as rows. Pure.

A department sees what it delivered itself, chosen or not; other candidates are for reviewers alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from basedb.dictionary import DATASETS, Dataset, DataType, Field
from basedb.dictionary.population_facts import ATTRIBUTES
from basedb.dossier.facts import FactRow, FactsOf, links_of
from basedb.dossier.relations import Relations
from basedb.fusion.reading import Candidate, Golden, GoldenValue
from basedb.models import MatchTier, Strategy
from basedb.wording import named
from exchange.dossiers.rights import DossierKind, View

# Of records with many fields these are shown.
BRIEF: Final = (
    "document_number", "item_code", "content", "level", "authority", "decided_on", "valid_from", "valid_to", "publish_until",
    "record_state",
)  # fmt: skip
ITEM: Final = "item_code"  # of credit records: an item of the catalogue of credit information


@dataclass(frozen=True, slots=True)
class Said:
    """What one source says of a field."""

    text: str
    department: str
    source: str
    received_at: datetime
    since: datetime | None
    tier: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Value:
    """A field of the identity: what stands and where it comes from, by which rule, and what else was said."""

    name: str
    title: str
    said: Said | None
    strategy: str
    legal_basis: str
    is_doubtful: bool
    others: list[Said]


@dataclass(frozen=True, slots=True)
class Related:
    """Another subject a row names; its dossier may be asked for."""

    name: str
    kind: DossierKind | None
    key: str


@dataclass(frozen=True, slots=True)
class Line:
    """A fact: a cell for every head, whom else it names, and where it comes from."""

    cells: list[str]
    related: list[Related]
    department: str
    source: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Section:
    """The newest facts of one dataset; `total` is how many there are."""

    code: str
    title: str
    heads: list[str]
    link_heads: list[str]
    lines: list[Line]
    total: int

    @property
    def has_more(self) -> bool:
        """Whether not all are here."""
        return self.total > len(self.lines)


def values_of(dataset: Dataset, golden: Golden, view: View) -> list[Value]:
    """Return the fields a view shows anything of."""
    values = [_value(field, golden.values[field.name], view) for field in dataset.fields]
    return [value for value in values if value.said is not None]


def divisions_of(master: Dataset, golden: Golden | None, found: FactsOf) -> set[str]:
    """Return the codes of divisions a dossier names."""
    identity = [golden.values[field.name] for field in master.fields if field.is_division] if golden else []
    codes = {candidate.value for value in identity for candidate in value.candidates}
    fields = {code: [field.name for field in DATASETS[code].fields if field.is_division] for code in found.rows}
    return codes | {row.values.get(name, "") for code, rows in found.rows.items() for row in rows for name in fields[code]} - {""}


def items_of(found: FactsOf) -> set[str]:
    """Return the codes of items of the credit catalogue that facts name."""
    return {row.values[ITEM] for rows in found.rows.values() for row in rows if row.values.get(ITEM)}


def _value(field: Field, golden: GoldenValue, view: View) -> Value:
    mine = [candidate for candidate in golden.candidates if view.covers(candidate.department_id)]
    standing = next((candidate for candidate in mine if candidate.is_chosen), None)
    shown = standing if view.department_id is None else standing or next(iter(mine), None)
    others = [c for c in mine if c is not shown] if view.sees_candidates or view.department_id is not None else []
    return Value(
        name=field.name,
        title=str(field.title),
        said=_said(field, shown, view) if shown else None,
        strategy=str(Strategy(golden.rule.strategy).label),
        legal_basis=golden.rule.legal_basis,
        is_doubtful=golden.is_doubtful,
        others=[_said(field, candidate, view) for candidate in others],
    )


def _said(field: Field, candidate: Candidate, view: View) -> Said:
    return Said(
        text=view.show(field, candidate.value),
        department=candidate.department,
        source=candidate.source,
        received_at=candidate.received_at,
        since=candidate.valid_from,
        tier=str(MatchTier(candidate.tier).label),
        is_chosen=candidate.is_chosen,
    )


def section_of(dataset: Dataset, found: FactsOf, related: Relations, view: View) -> Section:
    """Return the facts of a dataset as rows: a column for every field that has a value anywhere."""
    rows = found.rows.get(dataset.code, [])
    columns = [field for field in _columns(dataset) if any(field.name in row.values for row in rows)]
    links = [dataset.field(name) for name in links_of(dataset)] if view.department_id is None else []
    return Section(
        code=dataset.code,
        title=str(dataset.title),
        heads=[str(field.title) for field in columns],
        link_heads=[str(field.title) for field in links],
        lines=[_line(row, columns, links, related, view) for row in rows],
        total=found.totals.get(dataset.code, 0),
    )


def _columns(dataset: Dataset) -> list[Field]:
    shown = [
        field
        for field in dataset.fields
        if field.name != dataset.key_field and field.data_type not in (DataType.SUBJECT, DataType.OBJECT, DataType.GEOMETRY)
    ]
    return [field for field in shown if field.name in BRIEF] if dataset.base_database == "credit" else shown


def _line(row: FactRow, columns: Sequence[Field], links: Sequence[Field], related: Relations, view: View) -> Line:
    return Line(
        cells=[_cell(field, row, view) for field in columns],
        related=[_related(row.values.get(field.name, ""), related, view) for field in links],
        department=row.department,
        source=row.source,
        received_at=row.received_at,
    )


def _cell(field: Field, row: FactRow, view: View) -> str:
    raw = row.values.get(field.name)
    return named(raw, view.items) if raw and field.name == ITEM else view.show(_coded(field, row), raw)


def _coded(field: Field, row: FactRow) -> Field:
    """An attribute's value is of the code set of its kind."""
    kind = row.values.get("attribute_kind", "")
    return replace(field, code_set=ATTRIBUTES[kind][1]) if field.name == "attribute_value" and kind in ATTRIBUTES else field


def _related(key: str, related: Relations, view: View) -> Related:
    line = related.names.get(key)
    if line is None:
        return Related("", None, "")
    is_person = line["subject"] == "PERSON"
    name = view.show_name(line["name"]) if is_person else line["name"]
    return Related(name, DossierKind.PERSON if is_person else DossierKind.ENTERPRISE, key)


def age_of(born: str | None, today: date) -> int | None:
    """Return the full years of somebody on a day."""
    if not born or len(born) != 8:
        return None
    birthday = int(born[:4]), int(born[4:6]), int(born[6:])
    return today.year - birthday[0] - ((today.month, today.day) < birthday[1:])
