"""`prepare_license_keys`: make the keys that seal licenses where there are none; part of setting the platform up."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import DomainError
from licenses.sealing import keys


class Command(BaseCommand):
    """What exists is never changed."""

    help = "Make the keys that seal licenses where there are none."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the code of every key put in force."""
        try:
            made = keys.prepare(now=timezone.now())
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        for key in made:
            self.stdout.write(key.code)
