"""Reading an entity (溯源读取): its values at a moment of the world as the platform knew them at another, each with its source.

The choice is made by the SQL that makes golden rows, over the records, links and rules of that moment: what is read for now is
what stands in the golden row. Who may see losing candidates, and under which masks, is decided by the door that shows them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from basedb.dictionary import DATASETS, Dataset, Field
from basedb.fusion.survivorship import Plan, Rule, chain_of, chosen_sql, plan_of, rules_at, survivors_sql


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one record says about a field; values are in standard writing."""

    value: str
    department_id: int
    department: str
    source: str
    record_id: int
    chain: int
    received_at: datetime
    valid_from: datetime | None
    valid_to: datetime | None
    tier: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class GoldenValue:
    """The value of a field, the candidate it comes from (None: nobody says anything), the rule, and all candidates."""

    field: str
    value: str | None
    chosen: Candidate | None
    rule: Rule
    is_doubtful: bool
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Golden:
    """An entity at (`as_of`, `known_at`); None is now. Without a lead source's record it `is_vouched` for by nobody."""

    dataset: str
    entity_key: bytes
    as_of: datetime | None
    known_at: datetime | None
    is_vouched: bool
    values: dict[str, GoldenValue]

    @property
    def doubtful(self) -> list[str]:
        """The fields in doubt (存疑)."""
        return [name for name, value in self.values.items() if value.is_doubtful]


def read_entity(
    dataset: Dataset | str,
    entity_key: bytes,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    *,
    rules: Sequence[Rule] | None = None,
) -> Golden | None:
    """Return an entity of a MASTER dataset, None when no record belonged to it; one query, and one for the rules if not given.

    `as_of` is a moment in the world, `known_at` one on the platform: what did we tell then. Rules are those of `known_at`.
    """
    known = DATASETS[dataset] if isinstance(dataset, str) else dataset
    moment = known_at or timezone.now()
    plan = plan_of(known, rules_at(known, moment) if rules is None else rules)
    statement, parameters = _entity_sql(plan, entity_key, as_of, known_at, moment)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    lead, differing, settled, members, *chosen = row
    doubtful = set(differing) - set(settled) if lead else set()
    records = json.loads(members) if isinstance(members, str) else members
    values = {}
    for place, field in enumerate(known.fields):
        pair = chosen[2 * place], chosen[2 * place + 1]
        values[field.name] = _value(plan, field, pair, records, is_doubtful=field.name in doubtful)
    return Golden(known.code, entity_key, as_of, known_at, lead is not None, values)


def _entity_sql(
    plan: Plan, entity_key: bytes, as_of: datetime | None, known_at: datetime | None, moment: datetime
) -> tuple[str, list[Any]]:
    condition, parameters = standing_sql("r.known", "r.valid", as_of, known_at)
    linked = "upper_inf(x.linked)" if known_at is None else "x.linked @> %s::timestamptz"
    chosen = ", ".join(f"{chosen_sql(plan, field, 's')}, s.w{plan.choice_of[field.name].place}" for field in plan.dataset.fields)
    sql = f"""
        WITH member AS MATERIALIZED (
            SELECT x.entity_key, r.subject_key, r.id AS record_id, r.chain, s.collector, s.department_id, s.is_lead, r.run_id,
                lower(r.valid) AS begin, upper(r.valid) AS ended, lower(r.known) AS known_from, r.payload, r.received_at,
                d.name AS department, s.title AS source, x.tier
            FROM basedb_crosswalk x JOIN basedb_sourcerecord r ON r.chain = x.chain
            JOIN basedb_datasource s ON s.id = r.source_id JOIN core_department d ON d.id = s.department_id
            WHERE x.entity_key = %s AND x.dataset = %s AND {linked} AND {condition}
        )
        SELECT s.lead, s.differing, ARRAY(
                SELECT c.field FROM basedb_fusionconflict c WHERE c.dataset = %s AND c.entity_key = s.entity_key
                AND c.kind = 'VALUE' AND c.state = 'RESOLVED' AND c.answered_at BETWEEN s.known_from AND %s AND NOT EXISTS (
                    SELECT FROM member m WHERE jsonb_exists(m.payload, c.field) AND m.chain <> ALL (c.records) OFFSET 0)),
            (SELECT jsonb_agg(to_jsonb(m) - 'entity_key' - 'subject_key' ORDER BY m.chain) FROM member m), {chosen}
        FROM ({survivors_sql(plan, "SELECT * FROM member")}) s"""
    links = [] if known_at is None else [known_at]
    return sql, [entity_key, plan.dataset.code, *links, *parameters, plan.dataset.code, moment]


def standing_sql(known: str, valid: str, as_of: datetime | None, known_at: datetime | None) -> tuple[str, list[datetime]]:
    """Whether a record stands at two moments; None is now and after."""
    parts, parameters = [], []
    for column, moment in ((known, known_at), (valid, as_of)):
        parts.append(f"upper_inf({column})" if moment is None else f"{column} @> %s::timestamptz")
        if moment is not None:
            parameters.append(moment)
    return " AND ".join(parts), parameters


def _value(
    plan: Plan, field: Field, pair: tuple[str | None, str | None], records: list[dict[str, Any]], *, is_doubtful: bool
) -> GoldenValue:
    value, rank = pair
    chain = chain_of(rank) if rank else None
    candidates = tuple(
        _candidate(record, record["payload"][field.name], is_chosen=record["chain"] == chain)
        for record in records
        if field.name in record["payload"]
    )
    chosen = next((candidate for candidate in candidates if candidate.is_chosen), None)
    return GoldenValue(field.name, value, chosen, plan.rule_of[field.name], is_doubtful, candidates)


def _candidate(record: dict[str, Any], value: str, *, is_chosen: bool) -> Candidate:
    return Candidate(
        value=value,
        department_id=record["department_id"],
        department=record["department"],
        source=record["source"],
        record_id=record["record_id"],
        chain=record["chain"],
        received_at=datetime.fromisoformat(record["received_at"]),
        valid_from=_moment(record["begin"]),
        valid_to=_moment(record["ended"]),
        tier=record["tier"],
        is_chosen=is_chosen,
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def is_standing(dataset: Dataset, entity_key: bytes) -> bool:
    """Whether an entity stands in the base: somebody vouches for it, and it was not merged into another."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {dataset.table} WHERE subject_key = %s AND withdrawn_at IS NULL", [entity_key])
        return cursor.fetchone() is not None


def key_carried(chain: int) -> bytes | None:
    """Return the key of the identifier a record carries now, or carried when it ended; None for one that carries none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT subject_key FROM basedb_sourcerecord WHERE chain = %s::bigint AND upper_inf(known) AND payload <> '{}'"
            " ORDER BY lower(valid) DESC LIMIT 1",
            [chain],
        )
        row = cursor.fetchone()
    return bytes(row[0]) if row and row[0] is not None else None
