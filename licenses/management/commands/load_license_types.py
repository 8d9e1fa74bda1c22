"""`manage.py load_license_types [FILE]`: load types of licenses (证照目录) out of a file, or those the platform is shipped with."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.audit import PLATFORM
from core.errors import DomainError
from core.models import Department
from licenses.types import loading
from licenses.types.load_file import shipped_rows


class Command(BaseCommand):
    """Loads all types of the file or none; of the shipped ones those that are not there yet."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="JSON or CSV; without it the shipped types are loaded")
        parser.add_argument(
            "--department", default="", help="code of the department that maintains them (default: the data centre)"
        )
        parser.add_argument(
            "--keeper", action="append", default=[], metavar="BODY=CODE", help="which department keeps the types of a defining body"
        )

    def handle(self, *_: Any, file: Path | None, department: str, keeper: list[str], **__: Any) -> None:
        now = timezone.now()
        keeps = _department(department)
        try:
            if file is None:
                pairs = [one.partition("=") for one in keeper]
                keepers = {body: _department(code) for body, _sign, code in pairs}
                done = loading.load_rows(rows=shipped_rows(), department=keeps, now=now, keepers=keepers)
            else:
                done = loading.load(content=file.read_bytes(), file_name=file.name, actor=PLATFORM, now=now, department=keeps)
        except OSError as error:
            raise CommandError(str(error.strerror)) from error
        except DomainError as error:
            told = [str(line) for line in error.details.get("file", [])]
            raise CommandError("\n".join([str(error.message), *told])) from error
        self.stdout.write(f"{done.new_count} new, {done.next_count} next versions, {done.unchanged_count} unchanged")


def _department(code: str) -> Department:
    rows = Department.objects.filter(valid_to=None)
    found = rows.filter(code=code).first() if code else rows.filter(is_data_centre=True).first()
    if found is None:
        raise CommandError(f"no department {code or 'of the data centre'}")
    return found
