"""Rules that ask what the base already knows (库内校验规则): moves of a state, who may register what, circles of successors.

They run over a table of judged rows (`rule` null = good so far) after the rules of the row itself, as whole statements that name
the rule a row breaks. What a source may do follows from its kind of department (`collector`) and whether it leads.

The states of a person: 死亡 and 注销 are final. Only the lead source of the responsible department takes them back, and only to
有效: that is the correction of a wrong entry, made where it was made. Every other way out is refused for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from basedb.dictionary import DATASETS, ENTERPRISE, PERSON, Dataset, Source
from basedb.dictionary.legal_entity_facts import SUCCESSION
from basedb.dictionary.population_facts import ATTRIBUTE, ATTRIBUTES
from basedb.rules.conditions import Rule
from basedb.sql_text import quote

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

VALID, CANCELLED, LOCKED, PERMIT, MOVED_AWAY, DEAD = "0", "1", "2", "6", "8", "9"
FINAL: Final = frozenset({CANCELLED, DEAD})
# 人员状态: from a state to those that may follow it; staying is always allowed.
MOVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        VALID: frozenset({CANCELLED, LOCKED, MOVED_AWAY, DEAD}),
        LOCKED: frozenset({VALID, CANCELLED, MOVED_AWAY, DEAD}),
        PERMIT: frozenset({VALID, CANCELLED, LOCKED, MOVED_AWAY, DEAD}),
        MOVED_AWAY: frozenset({VALID, PERMIT, CANCELLED, DEAD}),
        CANCELLED: frozenset(),
        DEAD: frozenset(),
    }
)
# Who registers entities by the first character of their code (GB 32100); others have many registrars.
REGISTRARS: Mapping[str, Source] = MappingProxyType(
    {"1": Source.STAFFING, "5": Source.CIVIL_AFFAIRS, "9": Source.MARKET_REGULATION}
)
_TRANSITION, _REGISTRAR, _CIRCLE, _KIND = (
    "person_status.transition",
    "uscc.registrar",
    "successor_key.circle",
    "attribute_kind.responsible",
)


def may_follow(old: str, new: str, *, is_correction: bool = False) -> bool:
    """Whether a person may go from one state to another; a correction takes a final state back to 有效."""
    return old == new or new in MOVES[old] or (is_correction and old in FINAL and new == VALID)


def _rule(dataset: Dataset, code: str, message: _StrPromise) -> Rule:
    return Rule(code, dataset.field(code.partition(".")[0]).title, message, "false")


STORED_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        f"{dataset.code}:{code}": _rule(dataset, code, message)
        for dataset, code, message in (
            (PERSON, _TRANSITION, _("{field}不能这样变更：死亡、注销状态只能由责任部门更正为有效")),
            (ENTERPRISE, _REGISTRAR, _("{field}首位所示登记管理部门与数源部门不符")),
            (SUCCESSION, _CIRCLE, _("{field}经承继关系又回到本单位，请核对")),
            (ATTRIBUTE, _KIND, _("该类属性不由本数源部门负责采集")),
        )
    }
)


def stored_rule(dataset: Dataset, code: str) -> Rule | None:
    """Return the rule of that code, None when the dataset has none."""
    return STORED_RULES.get(f"{dataset.code}:{code}")


def stored_rule_statements(
    dataset: Dataset, judged: str, fields: Sequence[str], *, source_id: int, collector: str, is_lead: bool
) -> Iterator[str]:
    """Yield statements that name, in `judged`, the rows that break a stored rule.

    `judged` has rule, gone, source_key, row_valid_from, subject_key and the given fields.
    """
    if dataset.code == PERSON.code and "person_status" in fields:
        is_correction = is_lead and collector == PERSON.field("person_status").source
        yield _transition_sql(judged, source_id, is_correction=is_correction)
    elif dataset.code == ENTERPRISE.code and is_lead and collector in REGISTRARS.values():
        others = "".join(first for first, registrar in REGISTRARS.items() if registrar != collector)
        yield _mark(judged, _REGISTRAR, f"strpos({quote(others)}, left(s.uscc, 1)) > 0")
    elif dataset.code == SUCCESSION.code:
        yield _circle_sql(judged)
    elif dataset.code == ATTRIBUTE.code:
        own = [quote(kind) for kind, (source, _codes) in ATTRIBUTES.items() if source == collector]
        yield _mark(judged, _KIND, f"s.attribute_kind NOT IN ({', '.join(own)})" if own else "true")


def _mark(judged: str, code: str, condition: str, source: str = "") -> str:
    return f"UPDATE {judged} s SET rule = {quote(code)} {source} WHERE s.rule IS NULL AND NOT s.gone AND ({condition})"


def _transition_sql(judged: str, source_id: int, *, is_correction: bool) -> str:
    """A late row, laid before the version of its key that stands, moves nothing and may say what was.

    OFFSET 0 and the subject keep the planner from joining the records, or asking them for rows that break nothing.
    """
    pairs = ", ".join(f"('{old}', '{new}')" for old in MOVES for new in MOVES if may_follow(old, new, is_correction=is_correction))
    table = DATASETS[PERSON.code].table
    condition = (
        "b.subject_key = s.subject_key AND b.withdrawn_at IS NULL AND s.person_status IS NOT NULL "
        f"AND b.person_status <> s.person_status AND (b.person_status, s.person_status) NOT IN ({pairs}) "
        f"AND NOT EXISTS (SELECT FROM basedb_sourcerecord r WHERE r.source_id = {source_id:d} AND r.source_key = s.source_key"
        " AND r.subject_key = b.subject_key AND upper_inf(r.known) AND upper_inf(r.valid) AND lower(r.valid) > s.row_valid_from"
        " OFFSET 0)"
    )
    return _mark(judged, _TRANSITION, condition, f"FROM {table} b")


def _circle_sql(judged: str) -> str:
    """Rows whose successor leads back to them, over what is stored and what comes with them; together they are all refused."""
    table = SUCCESSION.table
    return f"""
        WITH RECURSIVE edge AS (
            SELECT subject_key, successor_key FROM {table} WHERE withdrawn_at IS NULL
            UNION SELECT subject_key, decode(successor_key, 'hex') FROM {judged} WHERE rule IS NULL AND NOT gone
        ), line (first, key) AS (
            SELECT subject_key, decode(successor_key, 'hex') FROM {judged} WHERE rule IS NULL AND NOT gone
            UNION SELECT l.first, e.successor_key FROM line l JOIN edge e ON e.subject_key = l.key
        )
        {_mark(judged, _CIRCLE, "s.subject_key IN (SELECT first FROM line WHERE key = first)")}"""
