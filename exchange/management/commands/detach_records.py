"""`detach_records`: take months of call records out of the table calls write to; the worker does so every month by itself."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.audit import PLATFORM
from core.errors import DomainError
from exchange.evidence import retention


def month_of(text: str) -> date:
    """Return the first day of a month written YYYY-MM."""
    return date.fromisoformat(f"{text}-01")


class Command(BaseCommand):
    """Months that are not proven, or held, stay; each says why."""

    help = "Detach the months of call records that end before a month; without it those older than the settings keep at hand."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the month."""
        parser.add_argument("--before", type=month_of, help="first month that stays, YYYY-MM")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line a month."""
        try:
            verdicts = retention.retire_due(before=options["before"], actor=PLATFORM, now=timezone.now())
        except DomainError as refused:
            raise CommandError(refused.message) from None
        for verdict in verdicts:
            told = verdict.reason or f"detached, {verdict.record_count} records"
            self.stdout.write(f"{verdict.month:%Y-%m}: {told}")
        if any(verdict.reason for verdict in verdicts):
            raise CommandError("Some months stay.")
