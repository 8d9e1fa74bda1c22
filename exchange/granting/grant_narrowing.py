"""Narrowing a grant in use (收窄授权): fewer items, stricter rows, masks, parameters, matters and addresses, less, shorter.

The keepers of a grant narrow it on their own; what would be wider is refused, term by term, and needs a new request.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from basedb.masking import Mask
from catalog.models import DataItem
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Invalid
from core.models import Region
from exchange.granting.grant_workflow import GrantCommand, decide_grant
from exchange.granting.grants import checked_reason, locked_grant, standing_within_term, tell, write_change
from exchange.granting.limits import limit_faults
from exchange.granting.narrowing import GrantTerms, widenings
from exchange.models import Grant
from exchange.querysets import seats_on_grant
from exchange.requests.request_terms import MAX_QUOTA_PER_DAY


@transaction.atomic
def narrow(*, grant_uid: UUID, asked: GrantTerms, reason: str, actor: Actor, now: datetime, revision: int | None = None) -> Grant:
    """Replace the terms of a grant by narrower ones; they hold for the very next call. Invalid names each term at fault."""
    grant = locked_grant(grant_uid, actor, revision)
    decide_grant(standing_within_term(grant, now), GrantCommand.NARROW, seats_on_grant(actor, grant))
    reason = checked_reason(reason)
    before = narrowable(grant)
    found = _faults(grant, asked, now) or widenings(before, asked)
    if found:
        raise Invalid("grant.not_narrower", _("授权只能收窄，以下各项请修改；需要更多请重新申请。"), found)
    _apply(grant, asked)
    if narrowable(grant) == before:
        raise Invalid("grant.not_narrower", _("没有任何一项收窄，授权没有变化。"))
    write_change(grant, GrantCommand.NARROW, actor=actor, now=now, reason=reason)
    tell(grant, actor, now, title=_("授权已收窄：%(grant)s") % {"grant": grant}, body=reason)
    return grant


def narrowable(grant: Grant) -> GrantTerms:
    """Return the terms of a grant that narrowing may change."""
    return GrantTerms(
        fields=list(grant.fields),
        masks=dict(grant.masks),
        region_prefix=grant.region_prefix,
        limits=grant.limits,
        quota_per_day=grant.quota_per_day,
        valid_to=grant.valid_to,
    )


def end_of(day: date) -> datetime:
    """Return the moment a term ends whose last day this is."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=SHANGHAI)


def _apply(grant: Grant, asked: GrantTerms) -> None:
    grant.fields = [name for name in grant.fields if name in asked.fields]
    grant.masks = {name: asked.masks[name] for name in grant.fields if asked.masks.get(name, Mask.NONE) != Mask.NONE}
    grant.region_prefix = asked.region_prefix
    for name, value in asked.limits.columns().items():
        setattr(grant, name, value)
    grant.quota_per_day = asked.quota_per_day
    grant.valid_to = asked.valid_to


def _faults(grant: Grant, asked: GrantTerms, now: datetime) -> dict[str, Any]:
    """Return term -> what is wrong with it in itself, before it is compared with the terms of now."""
    listable = DataItem.objects.filter(resource=grant.resource, is_withheld=False, data_type="C")
    found: dict[str, Any] = limit_faults(asked.limits, set(listable.values_list("name", flat=True)))
    if not asked.fields:
        found["fields"] = _("至少保留一个信息项；全部不再提供时请终止或撤销授权。")
    if not 1 <= asked.quota_per_day <= MAX_QUOTA_PER_DAY:
        found["quota_per_day"] = _("日调用量应在 1 至 %(most)s 之间。") % {"most": MAX_QUOTA_PER_DAY}
    if any(mask not in Mask.__members__ for mask in asked.masks.values()):
        found["masks"] = _("没有这种脱敏方式。")
    if asked.region_prefix != grant.region_prefix and not Region.objects.filter(code=asked.region_prefix, valid_to=None).exists():
        found["region_prefix"] = _("没有这个行政区划代码。")
    if asked.valid_to != grant.valid_to and asked.valid_to <= max(now, grant.valid_from):
        found["valid_to"] = _("新的截止日期须晚于现在和生效时间；立即停止请撤销授权。")
    return found
