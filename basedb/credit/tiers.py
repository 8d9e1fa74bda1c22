"""Tiers of repair (失信程度分级): from which day repair may be asked for and how many working days an answer may take.

The numbers are rows with their citation (国办发〔2025〕22号); this module only counts with them.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from django.utils.translation import gettext as _

from basedb.models import CreditDishonesty, CreditTier
from basedb.models.credit import CreditRow
from core.errors import Unavailable

ORDINARY, SERIOUS = "2", "3"


def months_later(day: date, months: int) -> date:
    """Return the same day of a later month, or its last day where the month is shorter."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def tier_of(record: CreditRow, *, on: date) -> CreditTier:
    """Return the tier of a record as it is in force on a day.

    Where its department states no severity, a listing of serious dishonesty (严重失信主体名单) is serious, anything else ordinary.
    """
    unstated = SERIOUS if isinstance(record, CreditDishonesty) else ORDINARY
    code = getattr(record, "severity", None) or unstated
    tier = CreditTier.objects.filter(code=code, effective__contains=on).first()
    if tier is None:
        raise Unavailable("credit.no_tier", _("信用修复规则尚未载入，请联系信用主管部门载入后再办理。"))
    return tier


def first_day_of_repair(record: CreditRow, tier: CreditTier) -> date:
    """Return the first day on which repair may be asked for: the shortest time of being shown has passed."""
    return months_later(record.published_on or record.decided_on, tier.min_months)
