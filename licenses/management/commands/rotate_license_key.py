"""`rotate_license_key PURPOSE`: put a new seal key in force; the one before it goes on verifying what it signed.

With `--retired CODE --compromised-at TIME` nothing is rotated: a key that was retired before is noted as not safe from then on.
`FILE --new-root` begins a new root of certificates, for an office whose root key is lost, read by somebody, or over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.audit import PLATFORM
from core.crypto import KeyFileRefused
from core.errors import DomainError
from licenses.models import KeyPurpose
from licenses.sealing import keys


class Command(BaseCommand):
    """Run as the owner of the tables; processes take the new key at their next signature."""

    help = "Put a new key in force for a purpose (DATA, FILE, STATUS, NODE)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the purpose, and since when the key was not safe."""
        parser.add_argument("purpose", choices=KeyPurpose.values)
        parser.add_argument("--compromised-at", default="", help="what it signed from then on is not trusted (ISO 8601)")
        parser.add_argument("--retired", default="", metavar="CODE", help="the key meant is this one, retired already")
        parser.add_argument(
            "--new-root", action="store_true", help="of FILE: begin a new root, whose certificate has to be published"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the code of the new key, or of the retired one that was noted."""
        compromised_at = _time(options["compromised_at"])
        if options["retired"]:
            self.stdout.write(_noted(options["retired"], compromised_at))
            return
        purpose, new_root = KeyPurpose(options["purpose"]), bool(options["new_root"])
        if new_root and purpose != KeyPurpose.FILE:
            raise CommandError("only FILE has a root")
        try:
            key = keys.rotate(
                purpose, actor=PLATFORM, now=timezone.now(), compromised_at=compromised_at, new_root=new_root
            )  # fmt: skip
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        except KeyFileRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(key.code)


def _noted(code: str, compromised_at: datetime | None) -> str:
    if compromised_at is None:
        raise CommandError("say since when: --compromised-at")
    try:
        return keys.mark_compromised(code, at=compromised_at, actor=PLATFORM, now=timezone.now()).code
    except DomainError as error:
        raise CommandError(str(error.message)) from error


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"not a time: {text}") from error
    return at if at.tzinfo else timezone.make_aware(at)
