"""Load limits of the stages (时限规则) out of a JSON or CSV file; rules laxer than Order 809 are refused."""

from __future__ import annotations

import csv
import io
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.audit import PLATFORM
from core.errors import Invalid
from exchange.requests import sla_policies

LARGEST = 1_000_000


class Command(BaseCommand):
    """Reads the file and loads its rows, all or none."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a JSON list of objects, or CSV with a header (UTF-8)")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise CommandError(f"{path}: no such file, or larger than {LARGEST} bytes")
        try:
            rows = _rows(path)
            count = sla_policies.load(rows=rows, actor=PLATFORM, now=timezone.now())
        except (UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
            raise CommandError(f"{path}: {error}") from error
        except Invalid as error:
            raise CommandError("\n".join(f"{place}: {fault}" for place, fault in error.details.items())) from error
        self.stdout.write(f"{count} rules loaded")


def _rows(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() != ".json":
        return list(csv.DictReader(io.StringIO(text), strict=True))
    rows = json.loads(text)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CommandError(f"{path}: a list of objects is expected")
    return rows
