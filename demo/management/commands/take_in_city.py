"""`manage.py take_in_city`: make the whole city's sources and take them in by the running workers, with a visible progress.

Run again, it finds the sources and the plans there and only carries on with what has not ended well. Sources of a city of another
size are made anew, and all of them are taken in.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo import city
from demo.city_scale.counts import Counts, counts_of
from demo.city_scale.making import BYTES_TAKEN_IN_PER_ROW, TooSmall, check_disk, from_environment, make, stands
from demo.city_scale.plans import Delivery, deliveries, lay_down
from demo.city_scale.run import Failed, take_in
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
            plans = _plans(counts)
            if stands(making):
                plans = {delivery: plan for delivery, plan in plans.items() if not _ended_well(plan)}
            else:
                check_disk(making.folder, counts, bytes_per_row=BYTES_TAKEN_IN_PER_ROW)
                self.say(f"sources made in {make(making):.0f} s")
                AggregationPlan.objects.filter(pk__in=[plan.pk for plan in plans.values()]).update(checkpoint={})
            take_in(plans, say=self.say)
        except (TooSmall, Failed) as error:
            raise CommandError(str(error)) from None

    def say(self, text: str) -> None:
        """Print a line at once."""
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def _plans(counts: Counts) -> dict[Delivery, AggregationPlan]:
    """Return the plans of the city, laid down if need be."""
    departments = city.load_departments()
    plans = {plan.title: plan for plan in AggregationPlan.objects.all()}
    return {delivery: plans.get(delivery.title) or lay_down(delivery, departments) for delivery in deliveries(counts)}


def _ended_well(plan: AggregationPlan) -> bool:
    return plan.runs.filter(state=RunState.SUCCEEDED).exists()
