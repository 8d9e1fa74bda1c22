"""What a matter needs of licenses (事项所需证照项目): items of types, out of the published list of uses and the matter's materials.

Nothing outside the list of uses (用证清单) is ever asked for; where the matter is published, it narrows the list to its materials
and says which of them it cannot do without. The grant narrows further (`asked_of`). Who may scan at all is not decided here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from basedb.dictionary.licenses import LICENSE
from basedb.lookup import Column, Selection
from basedb.masking import Mask
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.registry import Memory
from licenses.presenting.running import Run
from licenses.types.layout import BUILT_IN

TODAY: Final = "(now() AT TIME ZONE 'Asia/Shanghai')::date"
MATTER: Final = (("matter", "text"),)
FACE: Final = "face"
COLUMNS: Final = {  # what every license has beside its face, by the name the list of uses gives it -> field
    "license.type_name": "title",
    "license.number": "number",
    "license.identifier": "identifier",
    "license.holder_names": "holder_name",
    "license.holder_codes": "holder_code",
    "license.issuer_name": "issuer",
    "license.issued_on": "issued_on",
    "license.valid_from": "valid_from",
    "license.valid_to": "valid_to",
    "license.validity": "valid_to",
    "license.version": "license_version",
}
USES: Final = f"""
SELECT u.type_code, u.items, u.matter, u.purpose, u.basis, coalesce(t.rulebook, '[]')::text
FROM licenses_typeuse u LEFT JOIN LATERAL (
    SELECT v.rulebook FROM licenses_typeversion v WHERE v.code = u.type_code AND v.effective @> {TODAY} LIMIT 1) t ON true
WHERE u.effective @> {TODAY} AND (u.matter = <<matter>> OR u.matter = (
    SELECT m.name FROM exchange_matter m WHERE m.code = <<matter>> AND m.state = 'PUBLISHED'))
ORDER BY u.type_code, u.id"""
MATERIALS: Final = """
SELECT m.name, m.legal_basis, a.type_code, a.items, a.is_required
FROM exchange_matter m LEFT JOIN exchange_material a ON a.matter_id = m.id AND a.source = 'LICENSE'
WHERE m.code = <<matter>> AND m.state = 'PUBLISHED' ORDER BY a.ordinal"""
CODES: Final = f"""
SELECT DISTINCT coalesce(m.code, u.matter), u.matter FROM licenses_typeuse u
LEFT JOIN exchange_matter m ON m.name = u.matter AND m.state = 'PUBLISHED' WHERE u.effective @> {TODAY} ORDER BY 2 LIMIT 500"""


@dataclass(frozen=True, slots=True)
class Item:
    """An item a matter needs, under its title; the holder may leave out what is not required."""

    name: str
    title: str
    is_required: bool

    def told(self) -> dict[str, Any]:
        """Return the item as it is kept with a code."""
        return {"name": self.name, "title": self.title, "required": self.is_required}


@dataclass(frozen=True, slots=True)
class Need:
    """What a matter needs, why and by which law; items by type."""

    matter: str
    title: str
    purpose: str
    basis: str
    types: Mapping[str, tuple[Item, ...]]


def need_of(matter: str, run: Run) -> Need | None:
    """Return what a matter needs as the database says now; None when no use of it is published."""
    values = {"matter": matter}
    uses = run(USES, MATTER, values)
    materials = run(MATERIALS, MATTER, values)
    if not uses:
        return None
    wanted = _wanted(materials)
    types: dict[str, dict[str, Item]] = {}
    for type_code, items, _matter, _purpose, _basis, rulebook in uses:
        titles = {item["name"]: item["title"] for item in json.loads(rulebook)}
        for name in items:
            required = wanted.get((type_code, name)) if wanted else True
            if required is not None:
                title = titles.get(name) or str(BUILT_IN.get(name, name))
                types.setdefault(type_code, {})[name] = Item(name, title, required)
    found = {type_code: tuple(items.values()) for type_code, items in types.items()}
    name = materials[0][0] if materials else uses[0][2]
    return Need(matter, name, uses[0][3], materials[0][1] if materials else uses[0][4], found)


def _wanted(materials: list[tuple[Any, ...]]) -> dict[tuple[str, str], bool]:
    """Return the items the materials of a published matter name, and whether the matter cannot do without."""
    wanted: dict[tuple[str, str], bool] = {}
    for _name, _basis, type_code, items, is_required in materials:
        for item in items or ():
            wanted[type_code, item] = wanted.get((type_code, item), False) or is_required
    return wanted


def asked_of(need: Need, selection: Selection) -> dict[str, tuple[Item, ...]]:
    """Return what may be asked for under a grant: the items of the matter that its columns cover, masked or not.

    A column of the list covers its item; the items of the face are covered by a column for the whole face without a mask.
    """
    names = {column.item for column in beside_face(selection).columns}
    with_face = has_face(selection)
    asked = {
        type_code: tuple(item for item in items if item.name in names or (with_face and item.name not in COLUMNS))
        for type_code, items in need.types.items()
    }
    return {type_code: items for type_code, items in asked.items() if items}


def beside_face(selection: Selection) -> Selection:
    """Return what a grant allows beside the face, under the names of the list of uses, each column with its mask."""
    granted = {column.field: column for column in selection.columns if column.mask is not Mask.HIDDEN}
    columns = tuple(Column(name, field, granted[field].mask) for name, field in COLUMNS.items() if field in granted)
    return Selection(selection.dataset, columns, selection.rows)


def has_face(selection: Selection) -> bool:
    """Return whether a grant allows items of the face: a column for all of it, without a mask."""
    return any(column.field == FACE and column.mask is Mask.NONE for column in selection.columns)


def check_dataset(selection: Selection) -> None:
    """Refuse a grant that is not for licenses."""
    if selection.dataset != LICENSE.code:
        raise Refusal("presenting.grant_not_for_licenses", {"grant": "not_for_licenses"})


def known_matters(run: Run) -> list[tuple[str, str]]:
    """Return the matters a desk may choose: code and title."""
    return [(code, title) for code, title in run(CODES, (), {})]


remembered: Final[Memory[Need]] = Memory(lambda matter: need_of(matter, connections.rows))
