"""Prefilling the face of a license (照面预填): items the rulebook names a source for are read from the base databases.

It is a reading like any other at a desk: under a query grant of a system of the own department, counted, with a call record that
names the officer and no key. Masked values and those the rulebook would refuse are left out. Nothing is kept here.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS
from basedb.masking import Mask
from core.audit import Actor
from core.errors import Forbidden
from core.roles import Role
from exchange.calls.terms import Context
from exchange.matters.fetching import signed_at_desk
from exchange.matters.parts import Part, fetch_materials
from exchange.models import Grant, GrantState, Material, MaterialSource, MatterParty, PartState
from licenses.models import TypeVersion
from licenses.subject_keys import DATASET_OF, key_of
from licenses.types.rulebook import Item, ItemKind, Rulebook

MODE: Final = "QUERY"


@dataclass(frozen=True, slots=True)
class Filled:
    """Values by the names of items, from whom each came, and in sentences what could not be filled in and why."""

    values: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An item and where it comes from; of several items with one source the second is of the second holder."""

    item: Item
    holder: int
    dataset: str
    column: str


def has_sources(version: TypeVersion) -> bool:
    """Return whether a type has items that can be filled in."""
    return any(_wanted(Rulebook.of(version.rulebook), 1))


@transaction.atomic
def prefill(*, version: TypeVersion, codes: Sequence[str], actor: Actor, now: datetime) -> Filled:
    """Return what the base databases say of the holders with these codes, as far as the department's grants reach."""
    if not actor.has(Role.OPERATOR):
        raise Forbidden("role.required", _("证照由部门的经办人起草。"), {"roles": [Role.OPERATOR.value]})
    filled = Filled()
    subjects = _subjects(codes, filled)
    wanted = [one for one in _wanted(Rulebook.of(version.rulebook), version.holders_at_most) if one.holder in subjects]
    for dataset in sorted({one.dataset for one in wanted}):
        keys = {holder: key for holder, (known_in, key) in subjects.items() if known_in == dataset}
        reached = [one for one in wanted if one.dataset == dataset and one.holder in keys]
        if reached:
            _fill(filled, reached, {one.holder: keys[one.holder] for one in reached}, actor=actor, now=now)
    return filled


def _subjects(codes: Sequence[str], filled: Filled) -> dict[int, tuple[str, bytes]]:
    """Return dataset and key of every holder that was named; what is no code is said."""
    subjects = {}
    for number, code in enumerate(codes, start=1):
        known = key_of(code) if code else None
        if known is not None:
            subjects[number] = (DATASET_OF[known[0]], known[1])
        elif code:
            filled.left.append(_("持证主体代码有误，没有预填。请核对公民身份号码或统一社会信用代码。"))
    if not subjects and not filled.left:
        filled.left.append(_("请先填写持证主体代码，再从基础库预填。"))
    return subjects


def _wanted(rulebook: Rulebook, holders: int) -> Iterator[_Wanted]:
    seen: Counter[str] = Counter()
    for item in rulebook.items:
        dataset, _dot, column = item.source.rpartition(".")
        if dataset in DATASET_OF.values():
            seen[item.source] += 1
            yield _Wanted(item, min(seen[item.source], holders), dataset, column)


def _fill(filled: Filled, wanted: Sequence[_Wanted], keys: Mapping[int, bytes], *, actor: Actor, now: datetime) -> None:
    """Read one dataset for the holders it knows, under the newest grant on it."""
    dataset = wanted[0].dataset
    grant = _grant(dataset, actor, now)
    title = str(DATASETS[dataset].title)
    if grant is None:
        text = _("本部门没有“%(dataset)s”的查询授权，来自它的照面项目请手工填写，或先申请共享。")
        filled.left.append(text % {"dataset": title})
        return
    materials = [_material(number, [one.column for one in wanted if one.holder == number], dataset) for number in keys]
    subjects = {str(number): key for number, key in keys.items()}
    context = Context(officer=f"user-{actor.user_id}")
    parts = fetch_materials(materials, subjects, context, signed_at_desk(grant.system, actor, now), now)
    for part in parts:
        _take(filled, part, [one for one in wanted if str(one.holder) == part.row.party], f"{title} · {grant.purpose}")


def _grant(dataset: str, actor: Actor, now: datetime) -> Grant | None:
    """Return the newest grant on a dataset that serves any matter."""
    return (
        Grant.objects.filter(
            system__department_id=actor.department_id or 0, system__is_active=True, mode=MODE, state=GrantState.ACTIVE,
            valid_from__lte=now, valid_to__gt=now, resource__binding__dataset=dataset, matters=[],
        )
        .select_related("system")
        .order_by("-id")
        .first()
    )  # fmt: skip


def _material(number: int, columns: Sequence[str], dataset: str) -> Material:
    """Return what is fetched of a holder, in the words of matters; it is not kept."""
    return Material(
        pk=number, ordinal=number, code=f"holder_{number}", title="", party=MatterParty(role=str(number)),
        source=MaterialSource.DATASET, dataset=dataset, items=sorted(set(columns)),
    )  # fmt: skip


def _take(filled: Filled, part: Part, wanted: Sequence[_Wanted], source: str) -> None:
    """Take over the values of a holder that may be shown and fit their items."""
    if part.row.state != PartState.FOUND or part.plan is None or part.plan.selection is None:
        found_nobody = part.row.state == PartState.NOT_FOUND
        text = _("授权范围内没有查到持证主体，没有预填。") if found_nobody else _("查询没有成功（%(code)s），没有预填。")
        filled.left.append(text % {"code": part.row.reason})
        return
    row = json.loads(part.answer)["items"][0]
    known = {column.field: row.get(column.item) for column in part.plan.selection.columns if column.mask is Mask.NONE}
    for one in wanted:
        text = _written(one.item, known.get(one.column))
        if text and one.item.fault(text) is None:
            filled.values[one.item.name] = text
            filled.sources[one.item.name] = source
        elif one.column not in known:
            filled.left.append(_("“%(item)s”不在授权的信息项之内，请手工填写。") % {"item": one.item.title})
        else:
            filled.left.append(_("基础库中没有可用于“%(item)s”的内容，请手工填写。") % {"item": one.item.title})


def _written(item: Item, value: str | None) -> str:
    """Return a value of the base databases as a face has it: days with hyphens."""
    text = "" if value is None else str(value)
    is_day = item.kind is ItemKind.DATE and len(text) == 8 and text.isdecimal()
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if is_day else text
