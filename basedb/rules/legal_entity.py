"""Rules of legal-entity rows that look across fields (法人库校验规则)."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from basedb.dictionary.legal_entity import ENTERPRISE
from basedb.identifiers import citizen_id_valid_sql, uscc_check_sql, uscc_organization_valid_sql
from basedb.rules import legal_entity_facts
from basedb.rules.conditions import Rule, column, later, ordered, present, rule_of


def _enterprise_rules() -> Iterator[Rule]:
    s = column
    yield rule_of(ENTERPRISE, "uscc.check_digit", _("{field}校验码不正确"), f"NOT {uscc_check_sql(s('uscc'))}")
    yield rule_of(
        ENTERPRISE,
        "uscc.organization_code",
        _("{field}中的组织机构代码校验码不正确"),
        f"NOT {uscc_organization_valid_sql(s('uscc'))}",
    )
    yield rule_of(
        ENTERPRISE,
        "entity_kind.mismatch",
        _("{field}与统一社会信用代码不一致"),
        f"left({s('uscc')},2) <> {s('entity_kind')}",
    )
    representative = s("legal_representative_id")
    yield rule_of(
        ENTERPRISE,
        "legal_representative_id.check_digit",
        _("{field}不是有效的公民身份号码"),
        f"{representative} ~ '^[0-9]{{17}}[0-9X]$' AND NOT {citizen_id_valid_sql(representative)}",
    )
    yield rule_of(
        ENTERPRISE,
        "currency.required",
        _("填写了注册资本时{field}不能为空"),
        f"{present('registered_capital')} AND NOT {present('currency')}",
    )
    yield rule_of(
        ENTERPRISE,
        "term_to.before_start",
        _("{field}早于经营期限起始日"),
        f"{present('term_to')} AND {later(s('term_from'), s('term_to'))}",
    )
    yield rule_of(
        ENTERPRISE,
        "cancelled_on.before_establishment",
        _("{field}早于成立日期"),
        f"{present('cancelled_on')} AND {later(s('established_on'), s('cancelled_on'))}",
    )
    yield rule_of(
        ENTERPRISE,
        "registration_state.mismatch",
        _("有注销日期时{field}不能为存续"),
        f"{present('cancelled_on')} AND {s('registration_state')} = '1'",
    )


RULES = {ENTERPRISE.code: ordered(ENTERPRISE, _enterprise_rules()), **legal_entity_facts.RULES}
