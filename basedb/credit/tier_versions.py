"""Changing the tiers of repair (失信程度分级的调整): a new version from a day on, with its citation; the one before ends that day.

What was decided under an earlier version keeps it; applications already handed in are answered by the version of their day.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from basedb.credit import records
from basedb.models import CreditTier
from core import audit
from core.audit import Actor
from core.calendar import today_in_shanghai
from core.errors import Forbidden, Invalid, NotFound

MOST_MONTHS, MOST_DAYS, LONGEST = 120, 250, 200


@dataclass(frozen=True, slots=True)
class Terms:
    """What a tier says: months a record is shown at least and at most, working days for accepting, answering and prolonging."""

    min_months: int
    max_months: int
    accept_days: int
    answer_days: int
    extension_days: int


@transaction.atomic
def change(*, code: str, terms: Terms, citation: str, effective_from: date, actor: Actor, now: datetime) -> CreditTier:
    """Put a new version of a tier in force from a day after today."""
    if not records.is_window(actor):
        raise Forbidden("credit.window_only", _("信用修复规则由信用窗口（数据主管部门审核员）维护。"))
    old = CreditTier.objects.select_for_update().filter(code=code, effective__upper_inf=True).first()
    if old is None:
        raise NotFound("credit_tier.not_found", _("没有这个失信程度。"))
    _check(terms, citation, effective_from, old.effective.lower, now)
    old.effective = DateRange(old.effective.lower, effective_from)
    old.save(update_fields=["effective"])
    made = CreditTier.objects.create(
        code=code, name=old.name, citation=citation.strip(), effective=DateRange(effective_from, None), **asdict(terms)
    )
    before = {name: getattr(old, name) for name in asdict(terms)}
    audit.record(
        actor, "credit_tier.changed", made, at=now, code=code, before=before, after=asdict(terms), citation=made.citation,
        effective_from=effective_from.isoformat(),
    )  # fmt: skip
    return made


def _check(terms: Terms, citation: str, effective_from: date, began: date | None, now: datetime) -> None:
    faults: dict[str, list[str]] = {}
    for name, most in (("min_months", MOST_MONTHS), ("max_months", MOST_MONTHS), ("accept_days", MOST_DAYS),
                       ("answer_days", MOST_DAYS), ("extension_days", MOST_DAYS)):  # fmt: skip
        if not 0 <= getattr(terms, name) <= most:
            faults[name] = [_("须在 0 到 %(most)s 之间。") % {"most": most}]
    if terms.min_months > terms.max_months:
        faults.setdefault("max_months", [_("最长公示期不能短于最短公示期。")])
    if not citation.strip() or len(citation) > LONGEST:
        faults["citation"] = [_("请写明依据的文件和条款，最多 %(longest)d 字。") % {"longest": LONGEST}]
    if effective_from <= today_in_shanghai(now):
        faults["effective_from"] = [_("施行日期须晚于今天：已经办理的申请按当时的规则。")]
    elif began is not None and effective_from <= began:
        faults["effective_from"] = [_("已有自 %(day)s 起施行的版本，新版本须晚于它。") % {"day": began}]
    if faults:
        raise Invalid("credit_tier.invalid", _("信用修复规则填写有误。"), faults)
