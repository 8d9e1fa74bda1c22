"""All facts about one entity at a moment (档案事实): those of every dataset in one query, with their sources. Of several records
of one fact the one that began last stands, as in the base.

Which numbers belong to the entity says `numbers`. Licenses and credit have standings of their own and are in `holdings`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from basedb.dictionary import DATASETS, ENTERPRISE, PERSON, Dataset, DataType, Kind, Subject
from basedb.dossier.numbers import numbers_sql
from basedb.fusion.reading import standing_sql
from basedb.intake.facts import own_word, row_key_sql
from basedb.sql_text import quote

MOST: Final = 20  # shown of a section at once
MORE: Final = 500  # shown of one section alone
HELD: Final = tuple(dataset for dataset in DATASETS.values() if dataset.base_database in ("license", "credit"))
# What the newest of a section is told by.
NEWEST: Final[Mapping[str, str]] = {
    "population.name_usage": "used_from",
    "population.identifier": "issued_on",
    "population.household_member": "joined_on",
    "population.residence": "moved_in_on",
    "population.vital_event": "occurred_on",
    "population.attribute": "valid_from",
    "legal_entity.change": "changed_on",
    "legal_entity.branch": "opened_on",
    "legal_entity.officer": "appointed_on",
    "legal_entity.shareholder": "contributed_on",
    "legal_entity.qualification": "valid_from",
    "legal_entity.annual_report": "report_year",
    "legal_entity.tax_registration": "registered_on",
    "legal_entity.insurance_registration": "registered_on",
    "legal_entity.legacy_identifier": "valid_from",
    "legal_entity.succession": "effective_on",
    "geo.ownership": "registered_on",
    "license.license": "issued_on",
    **{dataset.code: "decided_on" for dataset in HELD if dataset.base_database == "credit"},
}


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact in standard writing and where it comes from; `subject_key` is of the number it was told under."""

    values: Mapping[str, str]
    department_id: int
    department: str
    source: str
    record_id: int
    received_at: datetime
    valid_from: datetime | None
    valid_to: datetime | None
    subject_key: bytes = b""


@dataclass(frozen=True, slots=True)
class FactsOf:
    """Rows and how many there are of each dataset that has any, and the keys of all numbers of the entity.

    `certain` are those of its own number and of merged ones: what the base itself is made of.
    """

    keys: list[bytes]
    rows: dict[str, list[FactRow]]
    totals: dict[str, int]
    certain: frozenset[bytes] = frozenset()

    @property
    def linked(self) -> set[bytes]:
        """The keys of others these facts name."""
        return {
            bytes.fromhex(row.values[name])
            for code, rows in self.rows.items()
            for name in links_of(DATASETS[code])
            for row in rows
            if name in row.values
        }


def own_facts(master: Dataset) -> tuple[Dataset, ...]:
    """Return the datasets of facts about the subjects of a MASTER dataset, licenses and credit not among them."""
    if master not in (PERSON, ENTERPRISE):
        raise ValueError(f"no dossier of {master.code}")
    subjects = (master.subject, Subject.EITHER)
    return tuple(d for d in DATASETS.values() if d.kind is Kind.FACT and d.subject in subjects and d not in HELD)


def links_of(dataset: Dataset) -> tuple[str, ...]:
    """Return the fields that name another subject."""
    return tuple(field.name for field in dataset.fields if field.data_type is DataType.SUBJECT)


def facts_about(
    master: Dataset,
    entity_key: bytes,
    datasets: Sequence[Dataset],
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    department_id: int | None = None,
    most: int = MOST,
) -> FactsOf:
    """Return the facts of some datasets about an entity; with `department_id` only those of that department. One query."""
    condition, moments = standing_sql("r.known", "r.valid", as_of, known_at)
    numbers, given = numbers_sql(master, entity_key, known_at)
    own = "" if department_id is None else f"AND s.department_id = {department_id:d}"
    passed = _not_passed_on(datasets) if as_of is None and known_at is None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH keys AS MATERIALIZED ({numbers}), standing AS (
                SELECT DISTINCT ON (s.dataset, named.row) s.dataset, r.payload, s.department_id, d.name AS department,
                    s.title AS source, r.id, r.received_at, lower(r.valid) AS valid_from, upper(r.valid) AS valid_to,
                    encode(k.key, 'hex') AS subject_key, named.newest
                FROM keys k JOIN basedb_sourcerecord r ON r.subject_key = k.key
                JOIN basedb_datasource s ON s.id = r.source_id
                JOIN core_department d ON d.id = s.department_id
                CROSS JOIN LATERAL (SELECT {_per_dataset(datasets, _row)} AS row, {_per_dataset(datasets, _newest)} AS newest,
                    {_per_dataset(datasets, _own_word)} AS own_word) named
                WHERE s.dataset = ANY (%s) AND {condition} {own} AND r.payload <> '{{}}'{passed}
                ORDER BY s.dataset, named.row, k.is_certain DESC, named.own_word DESC, lower(r.valid) DESC NULLS LAST, r.id DESC
            ), numbered AS (
                SELECT *, row_number() OVER (PARTITION BY dataset ORDER BY newest DESC NULLS LAST, id DESC) AS place,
                    count(*) OVER (PARTITION BY dataset) AS total FROM standing
            )
            SELECT (SELECT json_agg(json_build_array(encode(key, 'hex'), is_certain) ORDER BY key) FROM keys),
                (SELECT coalesce(json_agg(n ORDER BY n.dataset, n.place), '[]') FROM numbered n WHERE place <= %s)""",
            [*given, [dataset.code for dataset in datasets], *moments, most],
        )
        keys, found = cursor.fetchone()
    rows: dict[str, list[FactRow]] = {}
    for line in found:
        rows.setdefault(line["dataset"], []).append(_read(line))
    totals = {line["dataset"]: line["total"] for line in found}
    certain = frozenset(bytes.fromhex(key) for key, is_certain in keys if is_certain)
    return FactsOf([bytes.fromhex(key) for key, _is_certain in keys], rows, totals, certain)


def _per_dataset(datasets: Sequence[Dataset], expression: Any) -> str:
    cases = " ".join(f"WHEN {quote(dataset.code)} THEN {expression(dataset)}" for dataset in datasets)
    return f"CASE s.dataset {cases} END"


def _row(dataset: Dataset) -> str:
    """What tells one row from another; the identifier is left out: what is said twice under two that were merged is one fact."""
    names = [name for name in dataset.row_fields if name != dataset.key_field or len(dataset.row_fields) == 1]
    return f"concat_ws(chr(31), {', '.join(f'r.payload ->> {quote(name)}' for name in names)})"


def _newest(dataset: Dataset) -> str:
    return f"r.payload ->> {quote(dataset.field(NEWEST[dataset.code]).name)}"


def _own_word(dataset: Dataset) -> str:
    if dataset.issued is None:
        return "true"
    return f"coalesce({' AND '.join(own_word(dataset.issued, 'r.payload', 'd'))}, false)"


def _not_passed_on(datasets: Sequence[Dataset]) -> str:
    """Of facts two subjects may tell of themselves: that the base has it stand for this one."""
    shared = [dataset for dataset in datasets if not dataset.is_named_by_subject]
    return "".join(
        f""" AND (s.dataset <> {quote(dataset.code)} OR EXISTS (
                    SELECT FROM {dataset.table} f WHERE f.row_key = {row_key_sql(dataset, "r.payload")}
                    AND f.subject_key = k.key AND f.withdrawn_at IS NULL OFFSET 0))"""
        for dataset in shared
    )


def _read(line: Mapping[str, Any]) -> FactRow:
    payload = line["payload"]
    return FactRow(
        values=json.loads(payload) if isinstance(payload, str) else payload,
        department_id=line["department_id"],
        department=line["department"],
        source=line["source"],
        record_id=line["id"],
        received_at=datetime.fromisoformat(line["received_at"]),
        valid_from=moment(line["valid_from"]),
        valid_to=moment(line["valid_to"]),
        subject_key=bytes.fromhex(line["subject_key"]),
    )


def moment(text: str | None) -> datetime | None:
    """Return the time JSON tells, if any."""
    return datetime.fromisoformat(text) if text else None
