"""Synthetic legal entities of the demo city (演示法人): companies, shops and cooperatives, all invented.

The same seed gives the same entities. Codes are valid in form and carry a division GB/T 2260 does not assign.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from basedb.identifiers import generate_uscc
from demo.addresses import CITY_NAME, DISTRICTS, Street, office_address, streets
from demo.names import BRAND_HEADS, BRAND_TAILS, INDUSTRIES
from demo.people import MALE, SURVEY_DAY, PersonRow, full_name, written

_DIVISION = "990101"
_SURVEY_ORDINAL = SURVEY_DAY.toordinal()
_OLDEST_ORDINAL = date(1994, 7, 1).toordinal()
_COMPANY, _SHOP, _COOPERATIVE = "91", "92", "93"
_CAPITALS = ("10", "30", "50", "100", "100", "200", "300", "500", "500", "1000", "2000", "5000", "10000")


class EnterpriseRow(NamedTuple):
    """One row as the department's file holds it: text only, fields in the order of the contract."""

    uscc: str
    name: str
    entity_kind: str
    legal_representative: str
    legal_representative_id: str
    region_code: str
    address: str
    industry: str
    registered_capital: str
    currency: str
    established_on: str
    term_from: str
    term_to: str
    business_scope: str
    authority: str
    registration_state: str
    cancelled_on: str


def registered_entities(
    count: int,
    districts: Sequence[str] = DISTRICTS,
    *,
    seed: int,
    representatives: Sequence[PersonRow] = (),
) -> Iterator[EnterpriseRow]:
    """Yield `count` faultless entities; they are headed by adults among `representatives`, or by people known by name only."""
    rng = random.Random(seed)
    places = streets(districts)
    adults = [person for person in representatives if _may_head(person)]
    used: set[str] = set()
    for serial in rng.sample(range(10_000_000, 100_000_000), count):
        yield _entity(rng, serial, places[int(rng.random() * len(places))], adults, used)


def _entity(rng: random.Random, serial: int, street: Street, adults: Sequence[PersonRow], used: set[str]) -> EnterpriseRow:
    draw = rng.random()
    kind = _COMPANY if draw < 0.8 else _SHOP if draw < 0.97 else _COOPERATIVE
    industry, word, scope = INDUSTRIES[int(rng.random() * len(INDUSTRIES))]
    if kind == _COOPERATIVE:
        industry, word, scope = INDUSTRIES[-1]
    head_name, head_id = _head(rng, adults)
    founded = _OLDEST_ORDINAL + int(rng.random() ** 0.6 * (_SURVEY_ORDINAL - _OLDEST_ORDINAL))
    state, cancelled_on = _state(rng, founded)
    founded_on = date.fromordinal(founded)
    ends = founded_on.replace(year=founded_on.year + 30, day=1) if rng.random() < 0.4 else None
    return EnterpriseRow(
        uscc=generate_uscc(serial, region=_DIVISION, kind=kind),
        name=_unused_name(rng, kind, street, word, used),
        entity_kind=kind,
        legal_representative=head_name,
        legal_representative_id=head_id,
        region_code=street.district_code,
        address=office_address(street, rng),
        industry=industry,
        registered_capital="" if kind == _SHOP else _CAPITALS[int(rng.random() * len(_CAPITALS))],
        currency="" if kind == _SHOP else "156",
        established_on=written(founded_on),
        term_from=written(founded_on),
        term_to=written(ends) if ends else "",
        business_scope=scope,
        authority=f"{CITY_NAME[3:]}{street.district_name}市场监督管理局",
        registration_state=state,
        cancelled_on=cancelled_on,
    )


def headed(rows: Sequence[EnterpriseRow], people: Sequence[PersonRow]) -> list[EnterpriseRow]:
    """Return the rows, every tenth headed by an adult of the city whom the file names by citizen id."""
    adults = [person for person in people if _may_head(person)]
    made = list(rows)
    for place in range(0, len(made) if adults else 0, 10):
        person = adults[place % len(adults)]
        made[place] = made[place]._replace(legal_representative=person.name, legal_representative_id=person.citizen_id)
    return made


def _may_head(person: PersonRow) -> bool:
    return "19500101" < person.birth_on < "20030101" and person.person_status == "0"


def _head(rng: random.Random, adults: Sequence[PersonRow]) -> tuple[str, str]:
    if not adults:
        return full_name(rng, MALE, rng.uniform(25, 60)), ""
    person = adults[int(rng.random() * len(adults))]
    return person.name, person.citizen_id


def _state(rng: random.Random, founded: int) -> tuple[str, str]:
    draw = rng.random()
    if draw < 0.06:
        ended = founded + int(rng.random() * (_SURVEY_ORDINAL - founded))
        return "4", written(date.fromordinal(ended))
    return ("2" if draw < 0.08 else "6" if draw < 0.085 else "1"), ""


def _unused_name(rng: random.Random, kind: str, street: Street, word: str, used: set[str]) -> str:
    """Draw a name nobody has yet; brands grow by a character when the short ones are taken."""
    length = 1
    while True:
        tail = "".join(BRAND_TAILS[int(rng.random() * len(BRAND_TAILS))] for _ in range(length))
        brand = BRAND_HEADS[int(rng.random() * len(BRAND_HEADS))] + tail
        name = {
            _COMPANY: f"南京{brand}{word}有限公司",
            _SHOP: f"南京市{street.district_name}{brand}{word}经营部",
            _COOPERATIVE: f"南京{brand}{word}专业合作社",
        }[kind]
        if name not in used:
            used.add(name)
            return name
        length = min(length + 1, 4)
