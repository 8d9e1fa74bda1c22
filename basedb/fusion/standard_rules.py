"""Rules of authority as the law has them (数源责任标准规则): loaded at set-up, changed afterwards as versions by people.

The lead collector of an item serves it outward (政务数据共享条例 第十九条) and verifies what others doubt (第二十六条); where the
values of departments differ the responsible one verifies and updates (广州市法人基础信息共享实施细则 第三条).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from basedb.dictionary import ENTERPRISE, PERSON, Source
from basedb.models import Strategy

_ORDER = "《政务数据共享条例》第十九条、第二十六条"
_IDENTITY = f"《居民身份证法》第三条；《户口登记条例》第三条；{_ORDER}"
_REGISTRY = f"《市场主体登记管理条例》第五条；{_ORDER}；参照广州市法人基础信息共享实施细则第三条"


@dataclass(frozen=True, slots=True)
class StandardRule:
    """One rule for several fields; with a `group` they survive together."""

    fields: tuple[str, ...]
    collectors: tuple[Source, ...]
    legal_basis: str
    group: str = ""
    strategy: Strategy = Strategy.AUTHORITY
    max_age_days: int | None = None


STANDARD: Final[Mapping[str, tuple[StandardRule, ...]]] = {
    PERSON.code: (
        StandardRule(
            ("citizen_id", "name", "former_name", "sex", "ethnicity", "birth_on", "person_status"),
            (Source.PUBLIC_SECURITY,),
            _IDENTITY,
        ),
        StandardRule(("region_code", "address"), (Source.PUBLIC_SECURITY,), _IDENTITY, group="registered_residence"),
        StandardRule(("household_head", "household_relation"), (Source.PUBLIC_SECURITY,), _IDENTITY, group="household"),
        StandardRule(("marital_status",), (Source.CIVIL_AFFAIRS,), f"《婚姻登记条例》第二条；{_ORDER}"),
        StandardRule(
            ("died_on",), (Source.PUBLIC_SECURITY, Source.CIVIL_AFFAIRS, Source.HEALTH), f"《户口登记条例》第八条；{_ORDER}"
        ),
        StandardRule(("phone",), (), "《政务数据共享条例》第十九条（数据完整、准确、可用）", strategy=Strategy.NEWEST),
    ),
    ENTERPRISE.code: (
        StandardRule(
            (
                "uscc", "name", "entity_kind", "established_on", "authority", "registration_state", "cancelled_on", "industry",
                "business_scope",
            ),
            (Source.MARKET_REGULATION, Source.STAFFING, Source.CIVIL_AFFAIRS),
            _REGISTRY,
        ),
        StandardRule(
            ("legal_representative", "legal_representative_id"),
            (Source.MARKET_REGULATION, Source.STAFFING, Source.CIVIL_AFFAIRS),
            _REGISTRY,
            group="legal_representative",
        ),
        StandardRule(
            ("region_code", "address"),
            (Source.MARKET_REGULATION, Source.STAFFING, Source.CIVIL_AFFAIRS),
            _REGISTRY,
            group="registered_address",
        ),
        StandardRule(
            ("registered_capital", "currency"), (Source.MARKET_REGULATION,), _REGISTRY, group="registered_capital"
        ),
        StandardRule(("term_from", "term_to"), (Source.MARKET_REGULATION,), _REGISTRY, group="term"),
    ),
}  # fmt: skip
