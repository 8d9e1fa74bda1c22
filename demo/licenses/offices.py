"""Offices of the demo (演示签发机构): the market bureaus of two districts issue food permits too, a third is proposed."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from basedb.models import LegalEntity
from core.models import Department
from demo import city, story
from demo.licenses import issuing
from demo.licenses.types import FOOD
from licenses.issuing import drafts
from licenses.models import License, TypeOffice
from licenses.types import entrusting
from licenses.types.reading import in_force

BASIS: Final = "《食品经营许可和备案管理办法》第四条"
PERMITS: Final = {"xuanwu": 4, "qinhuai": 3}


def issue(departments: dict[str, Department], now: datetime) -> int:
    """Entrust the districts and let them issue, once; return how many food permits there are afterwards."""
    if not TypeOffice.objects.exists():
        for name in city.DISTRICT_MARKETS.values():
            _propose(departments[name], now)
        for place, count in PERMITS.items():
            office = departments[city.DISTRICT_MARKETS[place]]
            proposed = TypeOffice.objects.get(type_code=FOOD, department=office)
            entrusting.confirm(uid=proposed.uid, actor=story.actor("market_head"), now=now)
            _issue(place, office, count, now)
    return License.objects.filter(type_code=FOOD).count()


def _propose(office: Department, now: datetime) -> None:
    entrusting.propose(type_code=FOOD, department=office.uid, basis=BASIS, actor=story.actor("market_op"), now=now)


def _issue(place: str, office: Department, count: int, now: datetime) -> None:
    operator, head = story.actor(f"{place}_market_op"), story.actor(f"{place}_market_head")
    version = in_force(FOOD, now.date())
    entities = LegalEntity.objects.filter(registration_state="1", region_code__startswith=office.region.code)
    for holder in issuing.free(entities, FOOD, count):
        draft = issuing.submitted(version, holder, operator, now)
        if draft.state == "TO_SIGN":
            drafts.sign(uid=draft.uid, revision=draft.revision, actor=head, now=now)
