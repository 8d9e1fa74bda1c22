"""Who should hold a license (应持证口径): for some types the law or the register says whom; only of these a coverage is told.

Each rule is a condition over the city's people or entities, and its words are shown beside the share. Types without a rule have no
denominator: nobody knows how many people should have a driving license.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

_TODAY: Final = "(now() AT TIME ZONE 'Asia/Shanghai')::date"
_PEOPLE, _ENTITIES = "basedb_person", "basedb_legalentity"
_ALIVE: Final = "s.person_status <> '9'"


@dataclass(frozen=True, slots=True)
class Expected:
    """Those who should hold a type: the rows `s` of a table that meet a condition. `rule` is kept with the figures."""

    rule: str
    title: _StrPromise
    table: str
    condition: str
    types: tuple[str, ...]


RULES: Final = (
    Expected(
        "RESIDENT_16",
        _("人口库中年满16周岁、未死亡的人员（《居民身份证法》第二条）"),
        _PEOPLE,
        f"{_ALIVE} AND s.birth_on <= {_TODAY} - interval '16 years'",
        ("11100000000013338W001",),
    ),
    Expected(
        "RESIDENT",
        _("人口库中未死亡的全部人员"),
        _PEOPLE,
        _ALIVE,
        ("11100000000013338W002", "11100000717800636U001"),
    ),
    Expected(
        "MARRIED",
        _("人口库中婚姻状况为初婚或再婚、未死亡的人员"),
        _PEOPLE,
        f"{_ALIVE} AND s.marital_status IN ('20', '30')",
        ("11100000000013514R001",),
    ),
    Expected(
        "DIVORCED",
        _("人口库中婚姻状况为离异、未死亡的人员"),
        _PEOPLE,
        f"{_ALIVE} AND s.marital_status = '40'",
        ("11100000000013514R002",),
    ),
    Expected(
        "UNDER_7",
        _("人口库中未满7周岁、未死亡的人员"),
        _PEOPLE,
        f"{_ALIVE} AND s.birth_on > {_TODAY} - interval '7 years'",
        ("11100000000019737U001", "11100000000019737U005"),
    ),
    Expected(
        "REGISTERED_ENTITY",
        _("法人库中未吊销、未注销的市场主体（《市场主体登记管理条例》第二十一条）"),
        _ENTITIES,
        "s.registration_state NOT IN ('3', '4')",
        ("11100000MB0143028R003",),
    ),
)
BY_RULE: Final = {expected.rule: expected for expected in RULES}
