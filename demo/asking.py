"""Asking in the demo: a bundle at the head's desk, a basket half full, remarks on a request, a grant in its last weeks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from catalog.models import Resource
from core.calendar import SHANGHAI
from demo import entries
from demo.story import BENEFIT_SYSTEM, BENEFITS, MARKET_SYSTEM, REGISTRATION, Ask, actor, carry, submitted
from exchange.models import ConsumerSystem
from exchange.requests import baskets, remarks
from exchange.requests.attachments.shelf import Shelf
from exchange.requests.request_terms import Terms
from exchange.requests.workflow import Command

NEARLY_A_YEAR = timedelta(days=343)


def fill_baskets(owned: dict[str, ConsumerSystem], now: datetime) -> None:
    """Submit one basket, leave another, note what was asked about a request, and let a grant come to its end."""
    population, marriage, enterprises = (
        Resource.objects.get(title=title) for title in (entries.POPULATION, entries.MARRIAGE, entries.ENTERPRISES)
    )
    today = now.astimezone(SHANGHAI).date()
    why: dict[str, Any] = REGISTRATION
    terms = Terms(
        system=str(owned[MARKET_SYSTEM].uid), mode="VERIFY", fields=("name", "person_status"), term_from=today,
        term_to=today + timedelta(days=180), **why,
    )  # fmt: skip
    asks = [baskets.Ask(population.uid, terms), baskets.Ask(marriage.uid, replace(terms, fields=("marital_status",)))]
    baskets.submit(asks=asks, actor=actor("market_op"), now=now)
    for resource in (marriage, enterprises):
        baskets.put_in(resource_uid=resource.uid, actor=actor("edu_op"), now=now)

    asked = submitted(Ask(marriage, owned[BENEFIT_SYSTEM], "hr", "VERIFY", ("name", "marital_status"), BENEFITS), now)
    carry(asked, Command.ENDORSE, "hr_head", now)
    for text, who, is_private in (
        ("请说明核查的频次和覆盖人数。", "police_op", False),
        ("每月一次，约二十万人。", "hr_op", False),
        ("同类申请上月已同意，建议一致办理。", "police_op", True),
    ):
        with Shelf() as shelf:
            remarks.add(request_uid=asked.uid, text=text, is_private=is_private, actor=actor(who), now=now, on=shelf)

    begun = now - NEARLY_A_YEAR
    ending = submitted(Ask(population, owned[BENEFIT_SYSTEM], "hr", "QUERY", ("name", "person_status"), BENEFITS), begun)
    carry(ending, Command.ENDORSE, "hr_head", begun)
    carry(ending, Command.APPROVE, "reviewer", begun)
