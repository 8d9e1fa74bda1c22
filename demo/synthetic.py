"""Source data of the demo (演示数据): what the departments hold and drop, a small share of it dirty as in real life.

`people` fills the public-security bureau's own table, `enterprises` and `legal_entity_csv` the market-regulation bureau's
drop. Each defect is named after the rule that must reject it; untidy rows must pass after cleaning.
"""

import csv
import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from django.utils import translation

from basedb.dictionary import ENTERPRISE
from demo.addresses import DISTRICTS
from demo.enterprises import EnterpriseRow, registered_entities
from demo.people import PersonRow, residents

Row = TypeVar("Row", PersonRow, EnterpriseRow)
DIRTY_SHARE = 0.02
UNTIDY_SHARE = 0.02

_UNTIDY_NUMBERS = str.maketrans("0123456789", "０１２３４５６７８９")


def people(count: int, districts: Sequence[str] = DISTRICTS, *, seed: int = 1, dirty_share: float = DIRTY_SHARE) -> list[PersonRow]:
    """Return `count` rows of the population source table."""
    rows = list(residents(count, districts, seed=seed))
    return _soiled(rows, PERSON_DEFECTS, UNTIDY_PEOPLE, seed, dirty_share)


def enterprises(
    count: int,
    districts: Sequence[str] = DISTRICTS,
    *,
    seed: int = 1,
    representatives: Sequence[PersonRow] = (),
    dirty_share: float = DIRTY_SHARE,
) -> list[EnterpriseRow]:
    """Return `count` rows of the legal-entity drop; pass faultless people as `representatives`."""
    rows = list(registered_entities(count, districts, seed=seed, representatives=representatives))
    return _soiled(rows, ENTERPRISE_DEFECTS, UNTIDY_ENTERPRISES, seed, dirty_share)


def legal_entity_csv(path: Path, rows: Iterable[EnterpriseRow], *, encoding: str = "gb18030") -> None:
    """Write a drop file with the Chinese titles of the contract as header; it appears under its name when complete."""
    part = path.with_name(f".{path.name}.part")
    with translation.override(None):
        header = [str(field.title) for field in ENTERPRISE.fields]
    with part.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    os.replace(part, path)


def _wrong_last(code: str) -> str:
    return code[:-1] + ("1" if code[-1] != "1" else "2")


def _other_year(day: str) -> str:
    """The same day a leap cycle earlier, so that it exists."""
    return f"{int(day[:4]) - 4:04d}{day[4:]}"


PERSON_DEFECTS: Mapping[str, Callable[[PersonRow], PersonRow]] = {
    "citizen_id.check_digit": lambda row: row._replace(citizen_id=_wrong_last(row.citizen_id)),
    "citizen_id.format": lambda row: row._replace(citizen_id=row.citizen_id[:17]),
    "citizen_id.required": lambda row: row._replace(citizen_id=""),
    "name.required": lambda row: row._replace(name=" "),
    "name.control_character": lambda row: row._replace(name=f"{row.name[0]}\ufffd"),
    "birth_on.mismatch": lambda row: row._replace(birth_on=_other_year(row.birth_on)),
    "birth_on.format": lambda row: row._replace(birth_on=f"{row.birth_on[:4]}0230"),
    "sex.mismatch": lambda row: row._replace(sex="2" if row.sex == "1" else "1"),
    "sex.code": lambda row: row._replace(sex="男" if row.sex == "1" else "女"),
    "ethnicity.code": lambda row: row._replace(ethnicity="汉族"),
    "region_code.format": lambda row: row._replace(region_code="3201"),
    "died_on.before_birth": lambda row: row._replace(died_on=_other_year(row.birth_on), person_status="9"),
}
UNTIDY_PEOPLE: Sequence[Callable[[PersonRow], PersonRow]] = (
    lambda row: row._replace(citizen_id=row.citizen_id.lower()),
    lambda row: row._replace(citizen_id=row.citizen_id.translate(_UNTIDY_NUMBERS)),
    lambda row: row._replace(citizen_id=f" {row.citizen_id[:6]} {row.citizen_id[6:]}"),
    lambda row: row._replace(name=f"{row.name}\u3000"),
    lambda row: row._replace(birth_on=f"{row.birth_on[:4]}-{row.birth_on[4:6]}-{row.birth_on[6:]}"),
)
ENTERPRISE_DEFECTS: Mapping[str, Callable[[EnterpriseRow], EnterpriseRow]] = {
    "uscc.check_digit": lambda row: row._replace(uscc=_wrong_last(row.uscc)),
    "uscc.format": lambda row: row._replace(uscc=row.uscc[:15]),
    "name.required": lambda row: row._replace(name=""),
    "entity_kind.code": lambda row: row._replace(entity_kind="企业"),
    "region_code.format": lambda row: row._replace(region_code="玄武区"),
    "registered_capital.format": lambda row: row._replace(registered_capital="壹佰万", currency="156"),
    "established_on.format": lambda row: row._replace(established_on="20010230"),
    "term_to.before_start": lambda row: row._replace(term_to=_other_year(row.term_from)),
    "registration_state.code": lambda row: row._replace(registration_state="在业"),
}
UNTIDY_ENTERPRISES: Sequence[Callable[[EnterpriseRow], EnterpriseRow]] = (
    lambda row: row._replace(uscc=row.uscc.lower()),
    lambda row: row._replace(uscc=f"{row.uscc[:8]}-{row.uscc[8:]}"),
    lambda row: row._replace(name=f" {row.name}"),
    lambda row: row._replace(established_on=f"{row.established_on[:4]}/{row.established_on[4:6]}/{row.established_on[6:]}"),
)


def _soiled(
    rows: list[Row],
    defects: Mapping[str, Callable[[Row], Row]],
    untidy: Sequence[Callable[[Row], Row]],
    seed: int,
    dirty_share: float,
) -> list[Row]:
    """Spread every defect and every untidiness evenly over randomly chosen rows, each row at most once."""
    dirty_count = round(len(rows) * dirty_share)
    untidy_count = round(len(rows) * UNTIDY_SHARE)
    chosen = random.Random(seed + 1).sample(range(len(rows)), min(len(rows), dirty_count + untidy_count))
    breaking = list(defects.values())
    for turn, place in enumerate(chosen):
        changes = breaking if turn < dirty_count else untidy
        rows[place] = changes[turn % len(changes)](rows[place])
    return rows
