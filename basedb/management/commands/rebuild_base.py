"""`rebuild_base`: make golden rows, links and conflicts, or facts, anew from the records; with --check only say how many differ."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from basedb.dictionary import DATASETS, Kind
from basedb.fusion.projecting import Projected
from basedb.fusion.rebuilding import PART, rebuild
from basedb.intake.rebuilding import rebuild_facts


class Command(BaseCommand):
    """Goes through a whole dataset, a part at a time."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dataset", choices=sorted(DATASETS))
        parser.add_argument("--check", action="store_true", help="compare only; exit status 1 when anything differs")
        parser.add_argument("--part", type=int, default=PART, help="subjects, or facts, a transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["part"] < 1:
            raise CommandError("--part must be positive")
        dataset = DATASETS[options["dataset"]]
        is_master = dataset.kind is Kind.MASTER

        def told(done: int, found: Projected) -> None:
            self.stdout.write(f"{done} {'subjects' if is_master else 'parts'}, {found}")

        found = (rebuild if is_master else rebuild_facts)(
            dataset=dataset,
            clock=timezone.now,
            is_check=options["check"],
            part=options["part"],
            progress=told,
        )
        different = found.added + found.changed + found.withdrawn + found.linked + found.conflicts
        if options["check"] and different:
            raise CommandError(f"{different} differences: {found}")
        self.stdout.write(self.style.SUCCESS(f"{'checked' if options['check'] else 'rebuilt'}: {found}"))
