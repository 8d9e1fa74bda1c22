"""Limits of the stages (时限规则) as data: which rule counts for a region, and loading stricter local rules.

State Council Order 809 is the floor: `exchange/requests/order_809.json` seeds the table, and no rule may be laxer than `LAW`.
What a clock does with the days is `clocks`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from catalog.models import ShareAttribute
from core import audit
from core.audit import Actor
from core.errors import Invalid
from core.models import Region
from core.texts import headed, listed
from exchange.models import Desk, SlaPolicy, Stage

COLUMNS = ("stage", "share_attribute", "region_code", "days", "extension_days", "consent_by", "source", "valid_from")
REQUIRED = ("stage", "days", "source", "valid_from")
LONGEST_SOURCE = 200
_CODE_LENGTHS = (12, 9, 6, 4, 2)
_SHARED = (ShareAttribute.UNCONDITIONAL, ShareAttribute.CONDITIONAL)
# Desks that stand between receipt and answer: none of them has more time than the answer.
_ANSWERING = (Stage.PROVIDER_OPERATOR, Stage.PROVIDER_HEAD, Stage.DATA_CENTRE)


@dataclass(frozen=True, slots=True)
class Limit:
    """What the law allows at most, and where it says so."""

    days: int
    extension_days: int
    article: str


LAW: Mapping[tuple[str, str], Limit] = {
    (Stage.ANSWER, ShareAttribute.UNCONDITIONAL): Limit(1, 10, "第二十一条"),
    (Stage.ANSWER, ShareAttribute.CONDITIONAL): Limit(10, 10, "第二十一条"),
    **{
        (stage, attribute): Limit(1 if attribute == ShareAttribute.UNCONDITIONAL else 10, 0, "第二十一条")
        for stage in _ANSWERING
        for attribute in _SHARED
    },
    **{(Stage.DELIVERY, attribute): Limit(20, 0, "第二十二条") for attribute in _SHARED},
    **{(Stage.VERIFICATION, attribute): Limit(10, 0, "第二十六条") for attribute in _SHARED},
    **{(Stage.CATALOG_UPDATE, attribute): Limit(10, 5, "第十七条") for attribute in _SHARED},
    **{(Stage.CATALOG_REVIEW, attribute): Limit(2, 0, "第十七条") for attribute in _SHARED},
}


def policies_for(*, share_attribute: str, region_code: str, on: date) -> dict[str, SlaPolicy]:
    """Return the rule of every stage that counts on a day: the nearest region first, walking up, then the attribute."""
    regions = ["", *(region_code[:length] for length in _CODE_LENGTHS if length <= len(region_code))]
    rows = SlaPolicy.objects.filter(share_attribute__in=["", share_attribute], region_code__in=regions, valid_from__lte=on)
    floor = [row for row in order_809() if row.share_attribute in ("", share_attribute) and row.valid_from <= on]
    by_weight = sorted([*floor, *rows], key=lambda row: (len(row.region_code), bool(row.share_attribute), row.valid_from))
    return {row.stage: row for row in by_weight}


@lru_cache
def order_809() -> tuple[SlaPolicy, ...]:
    """Return the rules of the Order as the file has them: what counts for a stage the table has no row for."""
    rows = json.loads((Path(__file__).parent / "order_809.json").read_text(encoding="utf-8"))
    return tuple(SlaPolicy(**row | {"valid_from": date.fromisoformat(row["valid_from"])}) for row in rows)


@transaction.atomic
def load(*, rows: Iterable[Mapping[str, Any]], actor: Actor, now: datetime) -> int:
    """Write rules, all or none; a rule that is there already is replaced. Invalid names every row at fault and why."""
    faults: dict[str, str] = {}
    policies = []
    for number, row in enumerate(rows, start=1):
        values = {name: str(row.get(name) or "").strip() for name in COLUMNS}
        if fault := _fault(row, values):
            faults[_("第 %(number)d 行") % {"number": number}] = fault
        else:
            policies.append(_policy(values))
    if faults:
        lines = "".join(headed(place, fault) for place, fault in faults.items())
        raise Invalid("sla_policy.invalid", _("时限规则有误，全部未载入。%(lines)s") % {"lines": lines}, faults)
    for policy in policies:
        key = {name: getattr(policy, name) for name in ("stage", "share_attribute", "region_code", "valid_from")}
        rest = {name: getattr(policy, name) for name in ("days", "extension_days", "consent_by", "source")}
        SlaPolicy.objects.update_or_create(**key, defaults=rest)
    audit.record(actor, "sla_policy.loaded", None, at=now, rows=len(policies), sources=sorted({p.source for p in policies}))
    return len(policies)


def _fault(row: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """Return what is wrong with one row, in words, or nothing."""
    unknown = sorted(set(row) - set(COLUMNS))
    missing = [name for name in REQUIRED if not values[name]]
    if unknown or missing:
        return _("列名不认识：%(unknown)s；缺少：%(missing)s。") % {
            "unknown": listed(unknown) or "—",
            "missing": listed(missing) or "—",
        }
    if values["stage"] not in Stage.values:
        return _("没有这个环节：%(stage)s。") % {"stage": values["stage"][:40]}
    if values["share_attribute"] not in ("", *_SHARED):
        return _("共享属性须为空、UNCONDITIONAL 或 CONDITIONAL。")
    if values["region_code"] and not Region.objects.filter(code=values["region_code"], valid_to=None).exists():
        return _("没有这个行政区划代码。")
    if len(values["source"]) > LONGEST_SOURCE:
        return _("依据最长 %(count)d 个字。") % {"count": LONGEST_SOURCE}
    return _form_fault(values) or _law_fault(values)


def _form_fault(values: Mapping[str, str]) -> str:
    try:
        date.fromisoformat(values["valid_from"])
    except ValueError:
        return _("施行日期须写作 2025-08-01 的样式。")
    for name in ("days", "extension_days"):
        if values[name] and not (values[name].isascii() and values[name].isdigit() and int(values[name]) <= 365):
            return _("工作日须为 0 至 365 的整数。")
    if int(values["days"]) < 1:
        return _("时限至少一个工作日。")
    if int(values["extension_days"] or 0) and values["consent_by"] != Desk.DATA_CENTRE:
        return _("可以延期的，须由同级数据主管部门(DATA_CENTRE)同意。")
    return ""


def _law_fault(values: Mapping[str, str]) -> str:
    """Return why a rule is laxer than Order 809; a rule for all attributes must hold for each."""
    days, extension = int(values["days"]), int(values["extension_days"] or 0)
    attributes = [values["share_attribute"]] if values["share_attribute"] else list(_SHARED)
    for attribute in attributes:
        limit = LAW.get((values["stage"], attribute))
        if limit and (days > limit.days or extension > limit.extension_days):
            return _("宽于国务院令第809号%(article)s的时限(%(days)d 个工作日，最多延长 %(extension)d 个)，只能更严。") % {
                "article": limit.article,
                "days": limit.days,
                "extension": limit.extension_days,
            }
    return ""


def _policy(values: Mapping[str, str]) -> SlaPolicy:
    return SlaPolicy(
        **{name: values[name] for name in ("stage", "share_attribute", "region_code", "consent_by", "source")},
        days=int(values["days"]),
        extension_days=int(values["extension_days"] or 0),
        valid_from=date.fromisoformat(values["valid_from"]),
    )
