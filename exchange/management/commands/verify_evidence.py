"""`verify_evidence`: verify the sealed records in the database, or archive files; status 1 when an entry is bad."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.audit import PLATFORM
from core.calendar import SHANGHAI
from exchange.evidence.checking import Trust, verify
from exchange.evidence.verifier import check_files


def _start_of(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text), time.min, SHANGHAI)


class Command(BaseCommand):
    """Without options: both chains from their beginning and every archive on record."""

    help = "Verify sealed records and archives; the first bad entry of each chain is named."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take a period of sealing (days in Shanghai), or files."""
        parser.add_argument("--from", dest="since", type=_start_of, help="first day of sealing, YYYY-MM-DD")
        parser.add_argument("--to", dest="until", type=_start_of, help="last day of sealing, YYYY-MM-DD")
        parser.add_argument("--archive", nargs="+", type=Path, metavar="FILE", help="archive files instead of the database")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line for each chain or group of archives."""
        if options["archive"]:
            found = check_files(options["archive"], Trust.of_this_platform())
        else:
            until = options["until"] and options["until"] + timedelta(days=1)
            found = verify(actor=PLATFORM, since=options["since"], until=until, now=timezone.now())
        for outcome in found:
            self.stdout.write(str(outcome))
        if any(outcome.bad for outcome in found):
            raise CommandError("The evidence is not as it was sealed.")
