"""Rules of population rows that look across fields (人口库校验规则)."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from basedb.dictionary.population import PERSON
from basedb.identifiers import birth_matches_sql, citizen_id_check_sql, sex_matches_sql
from basedb.rules import population_facts
from basedb.rules.conditions import Rule, column, later, ordered, present, rule_of


def _person_rules() -> Iterator[Rule]:
    s = column
    yield rule_of(
        PERSON,
        "citizen_id.check_digit",
        _("{field}校验码不正确"),
        f"NOT {citizen_id_check_sql(s('citizen_id'))}",
    )
    yield rule_of(
        PERSON,
        "birth_on.mismatch",
        _("{field}与公民身份号码不一致"),
        f"NOT {birth_matches_sql(s('citizen_id'), s('birth_on'))}",
    )
    yield rule_of(
        PERSON,
        "sex.mismatch",
        _("{field}与公民身份号码不一致"),
        f"NOT {sex_matches_sql(s('citizen_id'), s('sex'))}",
    )
    yield rule_of(
        PERSON,
        "died_on.before_birth",
        _("{field}早于出生日期"),
        f"{present('died_on')} AND {later(s('birth_on'), s('died_on'))}",
    )
    yield rule_of(
        PERSON,
        "person_status.mismatch",
        _("{field}与死亡日期不一致"),
        f"{present('died_on')} AND {s('person_status')} NOT IN ('1','9')",
    )


RULES = {PERSON.code: ordered(PERSON, _person_rules()), **population_facts.RULES}
