"""`load_authority_rules`: fill in the standard rules of authority; fields that have a rule keep theirs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from basedb.fusion.rule_versions import load_standard


class Command(BaseCommand):
    """Runs at set-up; doing it again changes nothing."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{load_standard(now=timezone.now())} rules loaded")
