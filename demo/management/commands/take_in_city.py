"""`manage.py take_in_city`: make the whole city's sources and take them in by the running workers, with a visible progress.

Run again, it finds the sources and the plans there and only carries on with what has not ended well.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo import city
from demo.city_scale.counts import Counts, counts_of
from demo.city_scale.making import Making, TooSmall, check_disk, from_environment, make
from demo.city_scale.plans import Delivery, deliveries, lay_down
from demo.city_scale.run import Failed, take_in
from demo.city_scale.trial import BYTES_PER_ROW
from exchange.models import AggregationPlan, RunState


class Command(BaseCommand):
    """Makes sources, lays plans down and waits for the workers."""

    help = "Take in the whole city: 4.12 million people, or a share of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--share", type=float, default=float(os.environ.get("CITY_SHARE") or 1))

    def handle(self, *_: Any, share: float, **__: Any) -> None:
        counts = counts_of(share)
        making = from_environment(counts, Path(settings.DROP_DIR), say=self.say)
        try:
            if not _stands(making):
                check_disk(making.folder, counts, bytes_per_row=BYTES_PER_ROW)
                self.say(f"sources made in {make(making):.0f} s")
            take_in(_unfinished(counts), say=self.say)
        except (TooSmall, Failed) as error:
            raise CommandError(str(error)) from None

    def say(self, text: str) -> None:
        """Print a line at once."""
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def _stands(making: Making) -> bool:
    """Whether the city's sources were made to their end: the last step drops the truth they were drawn from."""
    with closing(making.connect()) as link, link.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s), to_regclass(%s)", [f"{making.schema}.credit_permit", f"{making.schema}.person"])
        last, truth = cursor.fetchone()
    return last is not None and truth is None


def _unfinished(counts: Counts) -> dict[Delivery, AggregationPlan]:
    """Return the plans that have no good run yet, laid down if need be."""
    departments = city.load_departments()
    plans = {plan.title: plan for plan in AggregationPlan.objects.all()}
    found = {}
    for delivery in deliveries(counts):
        plan = plans.get(delivery.title) or lay_down(delivery, departments)
        if not plan.runs.filter(state=RunState.SUCCEEDED).exists():
            found[delivery] = plan
    return found
