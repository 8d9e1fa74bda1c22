"""`load_boundaries`: check a GeoJSON file of approved outlines and lay them down; --check only says what it would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from basedb.geography import boundaries
from core.audit import PLATFORM
from core.errors import Invalid


class Command(BaseCommand):
    """The page of the portal does the same for a signed-in administrator."""

    help = "Load approved outlines of divisions from a GeoJSON file."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the file, where it is from and its approval number."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, help="who surveyed and issued the outlines")
        parser.add_argument("--approval-number", required=True, help="审图号")
        parser.add_argument("--fictive", action="store_true", help="made up for a demonstration")
        parser.add_argument("--check", action="store_true", help="check only, load nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print one line a feature; fail when anything is wrong."""
        path: Path = options["file"]
        try:
            content = path.read_bytes()
            for line in boundaries.preview(content=content, now=timezone.now()).lines:
                self.stdout.write(f"{line.number}\t{line.code}\t{line.name}\t{line.fault or 'ok'}")
            if options["check"]:
                return
            kept = boundaries.load(
                content=content,
                file_name=path.name,
                source=options["source"],
                approval_number=options["approval_number"],
                is_fictive=options["fictive"],
                is_operator=True,
                actor=PLATFORM,
                now=timezone.now(),
            )
        except OSError as error:
            raise CommandError(f"cannot read the file: {error.strerror}") from None
        except Invalid as error:
            raise CommandError(f"{error.message} {error.details}") from None
        self.stdout.write(f"{kept.outline_count} outlines loaded under {kept.approval_number}")
