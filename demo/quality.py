"""How good the demo city's data is (数据质量): the standard rules, and one check of every dataset, so that scores and tasks show.

The rules come after the first aggregation runs: what these brought is checked once as a whole, not batch by batch.
"""

from __future__ import annotations

from django.utils import timezone

from basedb.models import CheckState, QualityCheck
from basedb.quality import asking, checking, rulebook


def check_all() -> int:
    """Load the rules that are missing; check every dataset once in the life of a demo. Return how many were checked."""
    rulebook.load_standard_rules(now=timezone.now())
    if QualityCheck.objects.filter(batch=None).exists():
        return 0
    asking.ask_for_all(now=timezone.now())
    checks = list(QualityCheck.objects.filter(batch=None, state=CheckState.QUEUED).order_by("id"))
    for check in checks:
        checking.work(check_uid=check.uid, clock=timezone.now)
    return len(checks)
