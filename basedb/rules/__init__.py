"""Validation rules of the base databases (校验规则): data, evaluated by PostgreSQL over whole staging tables.

A rule is an SQL condition over cleaned text columns of a staging table aliased `s`, true when the row breaks it and never
null. Rules are tried in order and the first broken one rejects the row. Its code is `<field>.<rule>`. Comparison with
other rows (duplicates in a batch) and with stored rows belongs to ingest. One module a base.
"""

from collections.abc import Collection, Mapping
from datetime import date
from itertools import groupby
from types import MappingProxyType

from basedb.dictionary import DATASETS, Dataset
from basedb.rules import credit, geography, legal_entity, licenses, population
from basedb.rules.conditions import CONTROL_CHARACTERS, TODAY, Rule
from basedb.rules.stored import stored_rule
from basedb.sql_text import quote

__all__ = ["CONTROL_CHARACTERS", "RULES", "Rule", "broken_rule_sql", "rule_named"]

_BASES = (population, legal_entity, credit, licenses, geography)

RULES: Mapping[str, tuple[Rule, ...]] = MappingProxyType({code: rules for base in _BASES for code, rules in base.RULES.items()})

if RULES.keys() != DATASETS.keys():
    raise RuntimeError("every dataset needs its rules")


def broken_rule_sql(dataset: Dataset, *, today: date, exempt: Collection[str] = ()) -> str:
    """Return an SQL expression: the code of the first rule a row `s` breaks, or null; `exempt` ones do not count."""
    rules = [rule for rule in RULES[dataset.code] if rule.code not in exempt]
    cases = ""
    for guard, together in groupby(rules, key=lambda rule: rule.guard):
        tried = " ".join(f"WHEN {rule.condition} THEN {quote(rule.code)}" for rule in together)
        cases += f" WHEN {guard} THEN CASE {tried} END" if guard else f" {tried}"
    return f"(CASE{cases} END)".replace(TODAY, quote(f"{today:%Y%m%d}"))


def rule_named(dataset: Dataset, code: str) -> Rule:
    """Return the rule of that code; KeyError when the dataset has none."""
    for rule in RULES[dataset.code]:
        if rule.code == code:
            return rule
    if stored := stored_rule(dataset, code):
        return stored
    raise KeyError(code)
