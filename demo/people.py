"""Synthetic people of the demo city (演示人口): households with believable names, ages and addresses, about nobody.

The same seed gives the same people. Numbers carry a division prefix GB/T 2260 does not assign and valid check digits.
Defects for the source table are added by `demo.synthetic`.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import NamedTuple

from basedb.identifiers import generate_citizen_id
from demo.addresses import DISTRICTS, Street, home_address, streets
from demo.names import ETHNICITIES, ETHNICITY_WEIGHTS, GENERATIONS, SURNAME_WEIGHTS, SURNAMES

# Ages are counted from a fixed day, so that a seed means the same people next year.
SURVEY_DAY = date(2025, 6, 30)
_SURVEY_ORDINAL = SURVEY_DAY.toordinal()
_YEAR_DAYS = 365.2425
_PREFIX = 990100
_PREFIXES = 20

MALE, FEMALE = "1", "2"
HEAD, HUSBAND, WIFE, SON, DAUGHTER, FATHER, MOTHER = "02", "11", "12", "20", "30", "51", "52"
SINGLE, MARRIED, REMARRIED, DIVORCED = "10", "20", "30", "40"


class PersonRow(NamedTuple):
    """One row as the department's table holds it: text only, fields in the order of the contract."""

    citizen_id: str
    name: str
    former_name: str
    sex: str
    ethnicity: str
    birth_on: str
    person_status: str
    region_code: str
    address: str
    household_head: str
    household_relation: str
    marital_status: str
    died_on: str
    phone: str


@dataclass(frozen=True)
class _Household:
    """What its members share."""

    street: Street
    address: str
    head_name: str
    ethnicity: str


def residents(count: int, districts: Sequence[str] = DISTRICTS, *, seed: int) -> Iterator[PersonRow]:
    """Yield `count` faultless people, household by household."""
    return islice(_Registry(districts, seed).members(), count)


class _Registry:
    """Draws households without using a number twice."""

    def __init__(self, districts: Sequence[str], seed: int) -> None:
        self._rng = random.Random(seed)
        self._streets = streets(districts)
        self._used: set[str] = set()

    def members(self) -> Iterator[PersonRow]:
        while True:
            yield from self._household()

    def _household(self) -> Iterator[PersonRow]:
        rng = self._rng
        sex = MALE if rng.random() < 0.7 else FEMALE
        age = rng.triangular(23, 88, 42)
        surname = _surname(rng)
        name = _name(rng, surname, sex, age)
        street = self._streets[int(rng.random() * len(self._streets))]
        group = "01" if rng.random() < 0.97 else rng.choices(ETHNICITIES, cum_weights=ETHNICITY_WEIGHTS)[0]
        home = _Household(street, home_address(street, rng), name, group)
        kind = rng.random()
        if kind < 0.25:
            yield self._person(home, name, sex, age, relation=HEAD, marital=SINGLE if rng.random() < 0.75 else DIVORCED)
            return
        married = MARRIED if rng.random() < 0.9 else REMARRIED
        yield self._person(home, name, sex, age, relation=HEAD, marital=married)
        other, relation = (FEMALE, WIFE) if sex == MALE else (MALE, HUSBAND)
        other_age = max(22.5, age + rng.uniform(-4, 4))
        other_name = _name(rng, _surname(rng), other, other_age)
        yield self._person(home, other_name, other, other_age, relation=relation, marital=married)
        yield from self._children(home, surname, min(age, other_age), kind)
        if kind > 0.9 and age < 66:
            relation, parent_sex = (FATHER, MALE) if rng.random() < 0.4 else (MOTHER, FEMALE)
            parent_age = age + rng.uniform(22, 32)
            parent_name = _name(rng, surname if parent_sex == MALE else _surname(rng), parent_sex, parent_age)
            yield self._person(home, parent_name, parent_sex, parent_age, relation=relation, marital=MARRIED)

    def _children(self, home: _Household, surname: str, parents_age: float, kind: float) -> Iterator[PersonRow]:
        rng = self._rng
        wanted = 0 if kind < 0.45 else 2 if kind > 0.8 else 1
        for _ in range(wanted):
            age = parents_age - rng.uniform(22, 34)
            if not 0 <= age <= 32:
                continue
            sex, relation = (MALE, SON) if rng.random() < 0.51 else (FEMALE, DAUGHTER)
            yield self._person(home, _name(rng, surname, sex, age), sex, age, relation=relation, marital=SINGLE)

    def _person(self, home: _Household, name: str, sex: str, age: float, *, relation: str, marital: str) -> PersonRow:
        rng = self._rng
        born = date.fromordinal(_SURVEY_ORDINAL - int(age * _YEAR_DAYS) - 1)
        status, died_on = _fate(rng, age)
        return PersonRow(
            citizen_id=self._number(born, sex),
            name=name,
            former_name=_name(rng, name[0], sex, age) if rng.random() < 0.01 else "",
            sex=sex,
            ethnicity=home.ethnicity,
            birth_on=written(born),
            person_status=status,
            region_code=home.street.code,
            address=home.address,
            household_head=home.head_name,
            household_relation=relation,
            marital_status=marital,
            died_on=died_on,
            phone=f"100{int(rng.random() * 10**8):08d}" if age > 12 and rng.random() < 0.8 else "",
        )

    def _number(self, born: date, sex: str) -> str:
        rng = self._rng
        while True:
            prefix = str(_PREFIX + 1 + int(rng.random() * _PREFIXES))
            sequence = int(rng.random() * 499) * 2 + (1 if sex == MALE else 2)
            number = generate_citizen_id(prefix, born, sequence)
            if number not in self._used:
                self._used.add(number)
                return number


def _fate(rng: random.Random, age: float) -> tuple[str, str]:
    """Return status and day of death: some of the old have died within the last years, a few people moved away."""
    draw = rng.random()
    if age > 60 and draw < 0.04:
        return "9", written(date.fromordinal(_SURVEY_ORDINAL - int(rng.random() * 1500)))
    return ("8" if draw > 0.995 else "0"), ""


def written(day: date) -> str:
    """Write a day as the standards do: YYYYMMDD."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"


def _surname(rng: random.Random) -> str:
    return rng.choices(SURNAMES, cum_weights=SURNAME_WEIGHTS)[0]


def full_name(rng: random.Random, sex: str, age: float) -> str:
    """Draw a name that suits sex and age."""
    return _name(rng, _surname(rng), sex, age)


def _name(rng: random.Random, surname: str, sex: str, age: float) -> str:
    year = SURVEY_DAY.year - age
    for before, male, female in GENERATIONS:
        if year < before:
            characters = male if sex == MALE else female
            break
    first = characters[int(rng.random() * len(characters))]
    second = characters[int(rng.random() * len(characters))] if rng.random() < 0.75 else ""
    return surname + first + second
