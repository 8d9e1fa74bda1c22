"""`load_quality_rules`: write the standard quality rules that are missing; what people changed stays."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from basedb.quality import rulebook


class Command(BaseCommand):
    """Safe to run after every upgrade."""

    help = "Load the standard quality rules (数据质量规则)."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Write them and say how many."""
        count = rulebook.load_standard_rules(now=timezone.now())
        self.stdout.write(f"{count} rules added.")
