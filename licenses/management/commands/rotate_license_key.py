"""`rotate_license_key PURPOSE`: put a new seal key in force; the one before it goes on verifying what it signed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.audit import PLATFORM
from licenses.models import KeyPurpose
from licenses.sealing import keys


class Command(BaseCommand):
    """Run as the owner of the tables; processes take the new key at their next signature."""

    help = "Put a new key in force for a purpose (DATA, FILE, STATUS, NODE)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the purpose, and since when the key was not safe."""
        parser.add_argument("purpose", choices=KeyPurpose.values)
        parser.add_argument("--compromised-at", default="", help="what it signed from then on is not trusted (ISO 8601)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the code of the new key."""
        compromised_at = _time(options["compromised_at"])
        key = keys.rotate(KeyPurpose(options["purpose"]), actor=PLATFORM, now=timezone.now(), compromised_at=compromised_at)
        self.stdout.write(key.code)


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"not a time: {text}") from error
    return at if at.tzinfo else timezone.make_aware(at)
