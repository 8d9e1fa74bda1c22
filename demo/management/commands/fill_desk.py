"""`manage.py fill_desk`: let many requests wait at the data centre's desk, to look at the demo on a busy day."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from demo import desk


class Command(BaseCommand):
    """Tops the desk up."""

    help = "Let many requests wait at the data centre's desk of the demo."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--waiting", type=int, default=30, help="how many shall wait")

    @transaction.atomic
    def handle(self, *_: Any, waiting: int, **__: Any) -> None:
        self.stdout.write(f"{desk.fill(timezone.now(), waiting)} added")
