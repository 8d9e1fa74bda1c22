"""`archive_evidence`: write the archives that are due, or with --all everything sealed so far."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from exchange.evidence.archiving import archive_due


class Command(BaseCommand):
    """The worker does the same by itself every few minutes."""

    help = "Write the archives of sealed records that are due."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --all."""
        parser.add_argument("--all", action="store_true", help="also the seals of the period that has not ended")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the name of every file written."""
        for name in archive_due(now=timezone.now(), everything=options["all"]):
            self.stdout.write(name)
