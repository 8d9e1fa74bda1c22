"""`manage.py load_credit_catalog FILE`: load a version of the catalogue of public credit information (公共信用信息目录)."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from basedb.credit.catalog import load_version
from core.audit import PLATFORM
from core.errors import DomainError


class Command(BaseCommand):
    """Loads one version out of a JSON file; the version before it ends on the new one's first day."""

    help = "Load a version of the catalogue of public credit information."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        try:
            made = load_version(content=file.read_bytes(), actor=PLATFORM, now=timezone.now())
        except OSError as error:
            raise CommandError(str(error.strerror)) from error
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        self.stdout.write(f"{made.title}: {made.items.count()}")
