"""Which column means which field (字段对应建议): by name, comment, title, field lists, abbreviations. Only suggestions. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rapidfuzz import fuzz

from basedb.dictionary import Dataset
from core.texts import bare
from exchange.aggregation.connectors.terms import Column

LEAST_LIKENESS = 78.0
# Names of columns as departments' systems use them (GA/T 2000 and common practice) -> field.
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "citizen_id": ("GMSFHM", "SFZH", "SFZHM", "ZJHM", "IDCARD", "SFZJHM"),
    "name": ("XM", "MC", "QYMC", "ENTNAME"),
    "sex": ("XB", "XBDM"),
    "ethnicity": ("MZ", "MZDM"),
    "birth_on": ("CSRQ",),
    "person_status": ("RYZT",),
    "region_code": ("XZQH", "XZQHDM", "HJQH", "QHDM"),
    "address": ("HJDZ", "DZ", "ZZ", "ZS", "DOM"),
    "uscc": ("TYSHXYDM", "SHXYDM", "XYDM", "UNISCID"),
    "phone": ("LXDH", "SJH", "SJHM"),
}


def suggest(dataset: Dataset, columns: Sequence[Column]) -> dict[str, str]:
    """Return field -> column where one is likely enough; a column is suggested once, the likeliest pair first."""
    pairs = sorted(
        (
            (likeness(field.name, str(field.title), column, field.aliases), field.name, column.name)
            for field in dataset.fields
            for column in columns
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    found: dict[str, str] = {}
    for score, field, column in pairs:
        if score >= LEAST_LIKENESS and field not in found and column not in found.values():
            found[field] = column
    return found


def likeness(name: str, title: str, column: Column, aliases: Sequence[str] = ()) -> float:
    """Return how likely a column means a field, 0 to 100."""
    plain, said = bare(column.name), bare(column.comment)
    wanted = bare(title)
    if plain == bare(name) or column.name.upper() in (*_KNOWN.get(name, ()), *aliases):
        return 100.0
    if wanted and wanted in (plain, said):
        return 99.0
    if plain == _initials(title):
        return 90.0
    return max(fuzz.ratio(wanted, said) if said else 0.0, fuzz.ratio(wanted, plain), fuzz.ratio(bare(name), plain))


def _initials(title: str) -> str:
    """Return the first letters of a title in pinyin, as column names are often made."""
    from pypinyin import Style, lazy_pinyin  # its dictionary takes 60 MB, which no worker needs

    letters = lazy_pinyin(re.sub(r"[^\u4e00-\u9fff]", "", title), style=Style.FIRST_LETTER)
    return "".join(letters).lower() if len(letters) > 1 else ""
