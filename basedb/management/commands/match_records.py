"""`match_records`: match every record without an identifier now, as the nightly task does."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from basedb.matching.running import CHUNK, match_records


class Command(BaseCommand):
    """Goes through the held records, a chunk at a time."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--chunk", type=int, default=CHUNK, help="records a transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["chunk"] < 1:
            raise CommandError("--chunk must be positive")
        done = match_records(clock=timezone.now, chunk=options["chunk"])
        self.stdout.write(self.style.SUCCESS(f"matched: {done}"))
