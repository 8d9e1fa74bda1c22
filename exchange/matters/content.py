"""What a matter says (事项内容): its parties and materials, and every fault in them. Pure, but for reading what is stored.

A material is replaced by items of a license type, by fields of a base dataset, or by nothing. Items of a license are fields of the
license dataset (`number`, `valid_to`, ...) or items of its face, written `face.<name>`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS, Dataset, DataType, Subject
from basedb.dictionary.licenses import LICENSE
from core.texts import listed
from exchange.models import Material as MaterialRow
from exchange.models import MaterialSource as Source
from exchange.models import Matter, PartyKind
from exchange.requests.request_terms import text_fault

NAME: Final = re.compile("[a-z][a-z0-9_]{0,39}")
MATTER_CODE: Final = re.compile("[A-Za-z0-9_-]{1,40}")
FACE: Final = "face"
FACE_ITEM: Final = re.compile(r"face\.[^\s.'\"%<>\x00-\x1f]{1,50}")
PARTIES_AT_MOST: Final = 10
MATERIALS_AT_MOST: Final = 40
ITEMS_AT_MOST: Final = 40
_UNSHOWN: Final = (DataType.SUBJECT, DataType.OBJECT, DataType.GEOMETRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A party as typed in."""

    role: str
    title: str
    kind: str
    is_required: bool = True
    may_coincide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A material as typed in; `party` is a role."""

    code: str
    title: str
    party: str
    source: str
    is_required: bool = True
    type_code: str = ""
    dataset: str = ""
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All a version of a matter says; `consumers` are departments that handle it beside the one that leads."""

    name: str
    legal_basis: str
    summary: str = ""
    consumers: tuple[int, ...] = ()
    parties: tuple[Party, ...] = ()
    materials: tuple[Material, ...] = ()


def content_of(matter: Matter) -> Content:
    """Return what a stored version says."""
    parties = tuple(
        Party(role=row.role, title=row.title, kind=row.kind, is_required=row.is_required, may_coincide=row.may_coincide)
        for row in matter.parties.all()
    )
    return Content(
        name=matter.name,
        legal_basis=matter.legal_basis,
        summary=matter.summary,
        consumers=tuple(matter.consumers),
        parties=parties,
        materials=tuple(_material(row) for row in matter.materials.select_related("party")),
    )


def _material(row: MaterialRow) -> Material:
    same = ("code", "title", "source", "is_required", "type_code", "dataset")
    return Material(party=row.party.role, items=tuple(row.items), **{name: getattr(row, name) for name in same})


def fetchable_datasets() -> Iterator[Dataset]:
    """Yield the datasets a party's material may be fetched from; licenses are named by their type instead."""
    for dataset in DATASETS.values():
        if dataset.subject is not Subject.PLACE and dataset.code != LICENSE.code:
            yield dataset


def items_of(dataset: Dataset) -> list[tuple[str, str]]:
    """Return the fields of a dataset that can be shown, with their titles."""
    return [(field.name, str(field.title)) for field in dataset.fields if field.data_type not in _UNSHOWN]


def suits(dataset: Dataset, kind: str) -> bool:
    """Return whether a dataset tells of parties of a kind."""
    return dataset.subject in (Subject.EITHER, Subject.PERSON if kind == PartyKind.PERSON else Subject.LEGAL_ENTITY)


def faults(content: Content, known_types: Collection[str]) -> dict[str, str]:
    """Return field -> what is wrong with it; parties and materials under `parties[<place>].<field>`."""
    found = {
        "name": text_fault(content.name, longest=100, may_have_lines=False),
        "legal_basis": text_fault(content.legal_basis, longest=500, may_have_lines=False),
    }
    if content.summary:
        found["summary"] = text_fault(content.summary, longest=500, may_have_lines=False)
    if len(content.parties) > PARTIES_AT_MOST:
        found["parties"] = _("当事人最多 %(most)s 个。") % {"most": PARTIES_AT_MOST}
    if len(content.materials) > MATERIALS_AT_MOST:
        found["materials"] = _("材料最多 %(most)s 项。") % {"most": MATERIALS_AT_MOST}
    roles = [party.role for party in content.parties]
    for place, party in enumerate(content.parties):
        found |= {f"parties[{place}].{name}": why for name, why in _party_faults(party, roles).items()}
    codes = [material.code for material in content.materials]
    for place, material in enumerate(content.materials):
        wrong = _material_faults(material, codes, content.parties, known_types)
        found |= {f"materials[{place}].{name}": why for name, why in wrong.items()}
    return {name: why for name, why in found.items() if why}


def _name_fault(name: str, among: Sequence[str]) -> str:
    if not NAME.fullmatch(name):
        return _("标识须以小写字母开头，只含小写字母、数字和下划线，最多 40 位。")
    return _("标识重复。") if among.count(name) > 1 else ""


def _party_faults(party: Party, roles: Sequence[str]) -> dict[str, str]:
    return {
        "role": _name_fault(party.role, roles),
        "title": text_fault(party.title, longest=40, may_have_lines=False),
        "kind": "" if party.kind in PartyKind.values else _("当事人类型不正确。"),
    }


def _material_faults(
    material: Material, codes: Sequence[str], parties: Sequence[Party], known_types: Collection[str]
) -> dict[str, str]:
    party = next((party for party in parties if party.role == material.party), None)
    found = {
        "code": _name_fault(material.code, codes),
        "title": text_fault(material.title, longest=100, may_have_lines=False),
        "party": "" if party else _("没有这个当事人，请先添加当事人。"),
    }
    if material.source == Source.LICENSE:
        found["type_code"] = "" if material.type_code in known_types else _("证照目录中没有这种证照。")
        found["items"] = _items_fault(material.items, LICENSE)
    elif material.source == Source.DATASET:
        dataset = next((one for one in fetchable_datasets() if one.code == material.dataset), None)
        if dataset is None:
            found["dataset"] = _("没有这个数据集，或不能用于替代材料。")
        else:
            if party is not None and not suits(dataset, party.kind):
                found["dataset"] = _("这个数据集不是关于这类当事人的。")
            found["items"] = _items_fault(material.items, dataset)
    elif material.source != Source.SUBMIT:
        found["source"] = _("替代来源不正确。")
    return found


def _items_fault(items: Sequence[str], dataset: Dataset) -> str:
    if not 0 < len(items) <= ITEMS_AT_MOST or len(set(items)) != len(items):
        return _("信息项须为 1 至 %(most)s 项，且不重复。") % {"most": ITEMS_AT_MOST}
    known = {name for name, _title in items_of(dataset)}
    unknown = [item for item in items if item not in known and not (dataset is LICENSE and FACE_ITEM.fullmatch(item))]
    return _("没有这些信息项：%(names)s") % {"names": listed(unknown)[:200]} if unknown else ""
