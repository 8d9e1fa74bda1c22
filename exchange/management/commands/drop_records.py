"""`drop_records`: drop one detached month for good, as the owner of the database. Its archives stay."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.audit import PLATFORM
from core.errors import DomainError
from exchange.evidence import retention
from exchange.management.commands.detach_records import month_of


class Command(BaseCommand):
    """Refused before three years are over, under a legal hold, and while the archives are not intact."""

    help = "Drop a detached month of call records that need not be kept any longer."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the month."""
        parser.add_argument("month", type=month_of, help="YYYY-MM")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was dropped."""
        try:
            dropped = retention.drop(month=options["month"], actor=PLATFORM, now=timezone.now())
        except DomainError as refused:
            raise CommandError(refused.message) from None
        self.stdout.write(f"{dropped.month:%Y-%m}: dropped, {dropped.record_count} records")
