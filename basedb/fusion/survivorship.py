"""Survivorship (取值规则): which of several records' values stands in the golden row, as SQL made of contract and rules.

The same SQL serves batches, rebuilding and reading at a moment. It never depends on the order of rows: a choice is the
greatest of texts that begin with a rank of fixed length and end with the value. Which records belong together is `linking`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from basedb.cleaning import typed_sql
from basedb.dictionary import Dataset, DataType, Field
from basedb.models import AuthorityRule, Strategy
from basedb.sql_text import quote

NAME: Final = "name"
FORMER_NAME: Final = "former_name"
RULE_VERSION: Final = "fusion-1"
_LAST: Final = 2**62  # added to, or what is subtracted from: keeps numbers positive, so that their hexadecimal text sorts alike
CHAIN_LENGTH: Final = 16
_RANK_LENGTH: Final = 1 + 6 + 3 + 16 + CHAIN_LENGTH
_BYTEWISE: Final = '"C"'
CHAIN_START: Final = _RANK_LENGTH - CHAIN_LENGTH  # where the chain of a choice stands, 16 hexadecimal digits


@dataclass(frozen=True, slots=True)
class Rule:
    """What counts for one field; `legal_basis` is empty where only the field contract speaks."""

    field: str
    collectors: tuple[str, ...]
    group: str = ""
    strategy: str = Strategy.AUTHORITY
    max_age_days: int | None = None
    legal_basis: str = ""
    uid: str = ""

    @property
    def order(self) -> tuple[object, ...]:
        """What decides between candidates; fields of a group share it."""
        return self.collectors, self.strategy, self.max_age_days


@dataclass(frozen=True)
class Choice:
    """Fields chosen together - one, or those of a group - and the rule that chooses."""

    place: int
    fields: tuple[Field, ...]
    rule: Rule

    @property
    def candidate_sql(self) -> str:
        """Whether a record has something to choose: all required fields of a group, else any of them."""
        required = [field for field in self.fields if field.required] or None
        tests = [f"v.{_column(field)} IS NOT NULL" for field in required or self.fields]
        return f"({(' AND ' if required else ' OR ').join(tests)})"

    @property
    def value_sql(self) -> str:
        """What is carried behind the rank."""
        if len(self.fields) == 1:
            return f"v.{_column(self.fields[0])}"
        columns = ", ".join(f"v.{_column(field)}" for field in self.fields)
        return f"jsonb_build_array({columns})::text"


@dataclass(frozen=True)
class Plan:
    """How one dataset is fused under the rules of a moment."""

    dataset: Dataset
    choices: tuple[Choice, ...]

    @cached_property
    def rule_of(self) -> dict[str, Rule]:
        """The rule of every field."""
        return {field.name: choice.rule for choice in self.choices for field in choice.fields}

    @cached_property
    def choice_of(self) -> dict[str, Choice]:
        """The choice every field is made in."""
        return {field.name: choice for choice in self.choices for field in choice.fields}

    @property
    def name_field(self) -> str | None:
        """The field two records with one identifier must agree in."""
        return NAME if NAME in self.dataset.field_names else None

    @property
    def compared(self) -> tuple[Field, ...]:
        """The fields in which a difference is a conflict: not where the newest simply counts, nor who it is."""
        return tuple(
            field
            for field in self.dataset.fields
            if self.rule_of[field.name].strategy != Strategy.NEWEST
            and field.name not in (self.dataset.key_field, NAME, FORMER_NAME)
        )


def rules_at(dataset: Dataset, moment: datetime) -> list[Rule]:
    """Return the rules in force at a moment (one query)."""
    rows = AuthorityRule.objects.filter(dataset=dataset.code, effective__contains=moment)
    return [rule_of(row) for row in rows]


def rule_of(row: AuthorityRule) -> Rule:
    """Return what a stored rule says."""
    return Rule(
        field=row.field,
        group=row.group,
        collectors=tuple(row.collectors),
        strategy=row.strategy,
        max_age_days=row.max_age_days,
        legal_basis=row.legal_basis,
        uid=str(row.uid),
    )


def plan_of(dataset: Dataset, rules: Iterable[Rule]) -> Plan:
    """Return the plan under some rules. A field without one follows the contract: its lead collector, then the newest.

    Rules of fields the contract no longer has are passed over; in a group the rule of its first field decides.
    """
    given = {rule.field: rule for rule in rules}
    choices: list[Choice] = []
    groups: set[str] = set()
    for field in dataset.fields:
        rule = given.get(field.name) or Rule(field=field.name, collectors=(field.source.value,))
        if rule.group in groups:
            continue
        together = [field]
        if rule.group:
            groups.add(rule.group)
            together = [other for other in dataset.fields if other.name in given and given[other.name].group == rule.group]
        choices.append(Choice(len(choices), tuple(together), rule))
    return Plan(dataset, tuple(choices))


def value_sql(field: Field, text: str) -> str:
    """An expression two values that say the same have in common; `text` is cleaned."""
    return f"trim_scale(({text})::numeric)::text" if field.data_type is DataType.NUMBER else text


def authority_sql(rule: Rule, collector: str) -> str:
    """The place of a collector in a rule, 0 being the first; those it does not name come after all it names."""
    cases = " ".join(f"WHEN {quote(name)} THEN {place}" for place, name in enumerate(rule.collectors))
    return f"(CASE {collector} {cases} ELSE {len(rule.collectors)} END)" if cases else "0"


def survivors_sql(plan: Plan, members: str) -> str:
    """One row an entity: `entity_key`, `lead` (record/department/run of the record that gave the identifier, null without
    one), `w<place>` a choice (rank and value), `differing` (fields whose candidates disagree), `known_from` (of the newest member).

    `members` is a relation of (entity_key, subject_key, record_id, chain, collector, department_id, is_lead, run_id, begin,
    known_from, payload), one row a record.
    """
    kinds = _ranks(plan)
    key_choice = plan.choice_of[plan.dataset.key_field]
    columns = ", ".join(f"max({_ranked(kinds, choice)}) AS w{choice.place}" for choice in plan.choices if choice is not key_choice)
    differing = ", ".join(_differing(field) for field in plan.compared) or "NULL::text"
    lead = "v.is_lead AND v.subject_key = v.entity_key"
    own = f"({_rank_column(kinds, key_choice)} || v.record_id || '/' || v.department_id || '/' || v.run_id) COLLATE {_BYTEWISE}"
    return f"""
        SELECT v.entity_key, substr(max({own}) FILTER (WHERE {lead}), {_RANK_LENGTH + 1}) AS lead,
            max({_ranked(kinds, key_choice)}) FILTER (WHERE {lead}) AS w{key_choice.place}, {columns},
            array_remove(ARRAY[{differing}], NULL) AS differing, max(v.known_from) AS known_from
        FROM ({_ranked_rows(plan, kinds, members)}) v GROUP BY v.entity_key"""


def chosen_sql(plan: Plan, field: Field, row: str) -> str:
    """The text of a field in a row of `survivors_sql`."""
    choice = plan.choice_of[field.name]
    value = f"substr({row}.w{choice.place}, {_RANK_LENGTH + 1})"
    if len(choice.fields) == 1:
        return value
    return f"(({value})::jsonb ->> {choice.fields.index(field)})"


def typed_chosen_sql(plan: Plan, field: Field, row: str) -> str:
    """The value of a field in a row of `survivors_sql`, of the type of its column."""
    return typed_sql(field, chosen_sql(plan, field, row))


def _ranks(plan: Plan) -> dict[tuple[object, ...], int]:
    """Rules that rank alike share a column."""
    kinds: dict[tuple[object, ...], int] = {}
    for choice in plan.choices:
        if not _is_own_rank(choice.rule):
            kinds.setdefault(choice.rule.order, len(kinds))
    return kinds


def _is_own_rank(rule: Rule) -> bool:
    """Whether the rank depends on the values of the field itself."""
    return rule.strategy == Strategy.MAJORITY or rule.max_age_days is not None


def _ranked(kinds: dict[tuple[object, ...], int], choice: Choice) -> str:
    return f"(CASE WHEN {choice.candidate_sql} THEN {_rank_column(kinds, choice)} || {choice.value_sql} END) COLLATE {_BYTEWISE}"


def _rank_column(kinds: dict[tuple[object, ...], int], choice: Choice) -> str:
    return f"v.o{choice.place}" if _is_own_rank(choice.rule) else f"v.r{kinds[choice.rule.order]}"


def _column(field: Field) -> str:
    return f"f_{field.name}"


def _differing(field: Field) -> str:
    value = f"({value_sql(field, f'v.{_column(field)}')}) COLLATE {_BYTEWISE}"
    return f"CASE WHEN min({value}) <> max({value}) THEN {quote(field.name)} END"


def _ranked_rows(plan: Plan, kinds: dict[tuple[object, ...], int], members: str) -> str:
    """The members with their values as columns and their ranks."""
    values = ", ".join(f"m.payload ->> {quote(field.name)} AS {_column(field)}" for field in plan.dataset.fields)
    rows = (
        f"SELECT m.entity_key, m.subject_key, m.record_id, m.chain, m.collector, m.department_id, m.is_lead, m.run_id,"
        f" m.begin, m.known_from, {_hex('(extract(epoch FROM coalesce(m.begin, to_timestamp(0))) * 1000000)::bigint')} AS since,"
        f" {_hex('-m.chain')} AS seniority, {values} FROM ({members}) m"
    )
    by_order = {choice.rule.order: choice.rule for choice in plan.choices}
    ranks = [f"{_rank(by_order[order])} AS r{number}" for order, number in kinds.items()]
    ranks += [f"{_own_rank(choice)} AS o{choice.place}" for choice in plan.choices if _is_own_rank(choice.rule)]
    return f"SELECT v.*, {', '.join(ranks)} FROM ({rows} OFFSET 0) v"


def _hex(number: str) -> str:
    return f"lpad(to_hex({number} + {_LAST}), 16, '0')"


def _rank(rule: Rule, fresh: str = "'1'", votes: str = "'000000'") -> str:
    """Rank of one record as text of fixed length: fresh before aged, then as the strategy says, last the oldest chain."""
    authority = f"lpad((999 - {authority_sql(rule, 'v.collector')})::text, 3, '0')"
    parts: Sequence[str] = (fresh, votes, authority, "v.since")
    if rule.strategy == Strategy.NEWEST:
        parts = (fresh, votes, "v.since", authority)
    return f"({' || '.join((*parts, 'v.seniority'))})"


def _own_rank(choice: Choice) -> str:
    """Rank that looks at the other candidates: how old this one is against the newest, how many say the same."""
    rule, candidate = choice.rule, choice.candidate_sql
    fresh, votes = "'1'", "'000000'"
    if rule.max_age_days is not None:
        newest = f"max(CASE WHEN {candidate} THEN v.begin END) OVER (PARTITION BY v.entity_key)"
        fresh = f"CASE WHEN v.begin < {newest} - interval '{rule.max_age_days:d} days' THEN '0' ELSE '1' END"
    if rule.strategy == Strategy.MAJORITY:
        same = ", ".join(value_sql(field, f"v.{_column(field)}") for field in choice.fields)
        votes = f"lpad((count(*) FILTER (WHERE {candidate}) OVER (PARTITION BY v.entity_key, {same}))::text, 6, '0')"
    return _rank(rule, fresh, votes)


def chain_of(rank: str) -> int:
    """Return the chain a choice was made from."""
    return _LAST - int(rank[CHAIN_START:_RANK_LENGTH], 16)
