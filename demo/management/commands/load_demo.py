"""`manage.py load_demo`: load the demo city with a visible progress. Run again, it adds only what is missing."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from basedb.fusion import rule_versions
from catalog.models import Resource
from core import working_days
from core.models import Department
from demo import (
    aftercare,
    asking,
    calls,
    cases,
    city,
    credit,
    desk,
    disagreements,
    entries,
    facts,
    facts_called,
    flows,
    fusing,
    limited,
    outside,
    places,
    quality,
    story,
    synthetic,
    thematic,
)
from demo.licenses import agents as enterprise_agents
from demo.licenses import files as license_files
from demo.licenses import issuing, matters, offices, presenting, recognition, verification
from demo.licenses import types as license_types
from exchange.lineage import refreshing

CREDIT_SUBJECTS = 400
FACTS = 3_000  # people and entities of whom departments know more
SCALES = {"small": (20_000, 5_000), "city": (20_000, 5_000)}  # the city itself is taken in by `take_in_city`


class Command(BaseCommand):
    """Loads divisions, departments, accounts, sources, the catalogue, requests, grants and keys."""

    help = "Load the demo city."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scale", default="small", help="small: 20,000 people and 5,000 legal entities")

    def handle(self, *_: Any, scale: str, **__: Any) -> None:
        if scale not in SCALES:
            raise CommandError(f"DEMO_SCALE={scale} is not known; small and city are.")
        people_count, enterprise_count = SCALES[scale]
        record = settings.ENV.run_dir / "demo.json"
        known = json.loads(record.read_text()) if record.exists() else {"accounts": [], "systems": []}

        self.step("divisions", city.load_divisions)
        self.step(
            "holidays", lambda: working_days.load_holidays([timezone.now().year - 1, timezone.now().year, timezone.now().year + 1])
        )
        self.step("rules of authority", lambda: rule_versions.load_standard(now=timezone.now()))
        self.step("keys of licenses", lambda: license_files.prepare_keys(timezone.now()))
        departments = self.step("departments", city.load_departments)
        passwords = self.step(
            "accounts", lambda: city.load_accounts(departments, {a["username"]: a["password"] for a in known["accounts"]})
        )
        self.step("types of licenses", lambda: license_types.load(departments, timezone.now()))
        people = self.step("people", lambda: synthetic.people(people_count))
        self.step("the bureau's database", lambda: flows.fill_bureau(people))
        self.step("the exchange node's files", lambda: flows.drop_files(enterprise_count, people))
        self.step("places of the offices", lambda: places.fill_tables(people))
        self.step("aggregation plans", lambda: flows.make_plans(departments) + places.make_plans(departments, people))
        self.step("made-up outlines", places.load_outlines)
        self.step("aggregation runs", flows.run_plans)
        self.step("what another department knows otherwise", lambda: disagreements.aggregate(departments, people, timezone.now()))
        self.step("records without numbers", lambda: fusing.aggregate(departments, people[:FACTS]))
        self.step("proposals to merge", lambda: fusing.propose(people[:FACTS], timezone.now()))
        self.step("figures of divisions", places.count)
        self.step(
            "facts of people and entities",
            lambda: facts.aggregate(departments, people[:FACTS], synthetic.enterprises(enterprise_count)[:FACTS], timezone.now()),
        )
        self.step("credit records and licenses", lambda: credit.aggregate(departments, CREDIT_SUBJECTS, timezone.now()))
        self.step("titles of citizens", lambda: presenting.aggregate(departments, timezone.now()))
        self.step("licenses of citizens", lambda: matters.aggregate(departments, timezone.now()))
        self.step("what thematic databases need", lambda: thematic.aggregate(departments, people[:FACTS], timezone.now()))
        self.step("catalogue, requests, grants", lambda: self.tell_story(departments))
        self.step("a table of the bureau's own", lambda: outside.register_table(departments, timezone.now()))
        self.step("backflow", lambda: flows.subscribe_district(departments))
        self.step("quality checks", quality.check_all)
        systems = self.step("keys", lambda: story.renew_credentials({s["name"]: s for s in known["systems"]}, timezone.now()))
        self.write(record, passwords, systems)
        self.step("calls", lambda: calls.make(systems))
        self.show_licenses(departments)
        self.step("thematic databases and zones", lambda: thematic.build(timezone.now()))
        self.step("lineage", lambda: refreshing.refresh(now=timezone.now()))

    def show_licenses(self, departments: dict[str, Department]) -> None:
        """Issue licenses and use them in every way there is."""
        self.step("codes shown at the window", lambda: presenting.present(timezone.now()))
        self.step("agents of enterprises", lambda: enterprise_agents.authorize(timezone.now()))
        self.step("licenses issued", lambda: issuing.issue(timezone.now()))
        self.step("licenses of the districts", lambda: offices.issue(departments, timezone.now()))
        self.step("sealed license files and copies", lambda: license_files.make(timezone.now()))
        self.step("missing licenses", lambda: recognition.report(timezone.now()))
        self.step("other regions", lambda: recognition.exchange(timezone.now()))
        self.step("cases of matters", lambda: matters.fetch_cases(timezone.now()))
        self.step("status lists of licenses", lambda: verification.publish_lists(timezone.now()))

    def step(self, name: str, work: Callable[[], Any]) -> Any:
        """Do one part and say how long it took."""
        started = time.monotonic()
        self.stdout.write(f"  {name} ...", ending="")
        self.stdout.flush()
        result = work()
        self.stdout.write(f" {time.monotonic() - started:.1f} s")
        return result

    @transaction.atomic
    def tell_story(self, departments: dict[str, Department]) -> None:
        """Publish, request and grant, all or nothing, once."""
        if Resource.objects.filter(title=entries.POPULATION).exists():
            return
        now = timezone.now()
        story.publish_catalogue(departments, now)
        story.draft_unfinished(now)
        owned = story.register_systems(now)
        story.ask_and_decide(owned, now)
        cases.take_turns(owned, now)
        asking.fill_baskets(owned, now)
        limited.limit_one(owned, now)
        aftercare.look_after(owned, now)
        credit.work(now)
        desk.fill(now)
        desk.report_upward(owned, now)
        presenting.prepare(departments, owned, now)
        matters.prepare(departments, now)

    def write(self, record: Path, passwords: dict[str, str], systems: list[dict[str, Any]]) -> None:
        """Write demo.json, readable for its owner only."""
        accounts = [
            {
                "username": seat.username,
                "password": passwords[seat.username],
                "roles": [str(role) for role in seat.roles],
                "department": seat.department,
            }
            for seat in city.SEATS
        ]
        sample = flows.sample_keys()
        for system in systems:
            for grant in system["grants"]:
                of_facts = facts_called.sample_key(grant["service"])
                is_about_people = grant["service"] != entries.ENTERPRISES and of_facts is None
                grant["sample_key"] = of_facts or sample["person" if is_about_people else "enterprise"]
                if grant["mode"] == "VERIFY" and is_about_people:
                    grant["sample_values"] = flows.sample_values(grant["fields"])
        content = {"url": settings.PUBLIC_URL, "accounts": accounts, "systems": systems}
        part = record.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(content, ensure_ascii=False, indent=2))
        part.replace(record)
