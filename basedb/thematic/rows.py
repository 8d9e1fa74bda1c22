"""Reading thematic databases (主题库查阅): the department it was made for, and the data centre; every look is audited.

The department sees what its columns' masks leave. The data centre answers for the running, not for the cases: columns of grade L3
and above that stand under no mask are hidden from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from basedb.dictionary.contract import Grade
from basedb.geography.divisions import short_code
from basedb.masking import Mask, mask_value
from basedb.models import RefreshState, ThematicDataset, ThematicRow, ThematicState
from basedb.thematic.compiling import Column, Compiled
from basedb.thematic.definitions import compiled, is_centre, visible_definition
from core import audit
from core.audit import Actor
from core.errors import Forbidden, Invalid
from core.keyset import Page, page
from core.roles import Role

PAGE: Final = 20
_HIDDEN_FROM_CENTRE: Final = (Grade.L3, Grade.L4)


@dataclass(frozen=True, slots=True)
class Line:
    """A row as one reader sees it; values stand in the order of the columns."""

    region_code: str
    level: str
    values: Sequence[Any]
    entered_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """A page of rows with the columns they are shown under."""

    definition: ThematicDataset
    columns: Sequence[Column]
    lines: Sequence[Line]
    page: Page[ThematicRow]


def may_read(definition: ThematicDataset, actor: Actor) -> bool:
    """Return whether the actor may see rows: its department's operators and head, the data centre's reviewers."""
    is_own = definition.department_id == actor.department_id and actor.has(Role.OPERATOR, Role.HEAD)
    return definition.state == ThematicState.APPROVED and (is_own or is_centre(actor))


def mask_for(column: Column, definition: ThematicDataset, actor: Actor) -> Mask:
    """Return under which mask a reader sees a column."""
    is_own = definition.department_id == actor.department_id and actor.has(Role.OPERATOR, Role.HEAD)
    if column.mask is Mask.NONE and not is_own and column.grade in _HIDDEN_FROM_CENTRE:
        return Mask.HIDDEN
    return column.mask


def may_filter_level(definition: ThematicDataset, actor: Actor, *, now: datetime) -> bool:
    """Return whether a reader sees the level as it is: who does not may not find it out by a filter either."""
    made = compiled(definition, now=now)
    level = next((column for column in made.columns if column.name == made.level), None)
    return level is not None and mask_for(level, definition, actor) is Mask.NONE


@transaction.atomic
def read(
    *, uid: UUID, actor: Actor, now: datetime, region: str = "", level: str = "", cursor: str = "", size: int = PAGE
) -> Reading:
    """Return a page of rows, of a division and of a level when asked for; the look is audited with how much was seen."""
    definition = visible_definition(uid, actor)
    if not may_read(definition, actor):
        raise Forbidden("thematic.rows_of_owner", _("主题库记录仅建设部门和数据主管部门可查阅。"))
    made = compiled(definition, now=now)
    masks = [mask_for(column, definition, actor) for column in made.columns]
    shows_level = may_filter_level(definition, actor, now=now)
    rows = _rows_of(definition)
    if region:
        if not (region.isdigit() and len(region) <= 12):
            raise Invalid("thematic.region_invalid", _("区划代码须为数字。"), {"region": [_("区划代码须为数字。")]})
        rows = rows.filter(region_code__startswith=_shown_prefix(short_code(region), made.region_mask))
    if level:
        if not shows_level:
            raise Forbidden("thematic.level_hidden", _("您看不到等级，不能按等级筛选。"))
        rows = rows.filter(level=level)
    found = page(rows, order=("id",), cursor=cursor, size=size)
    audit.record(
        actor, "thematic.read", definition, at=now, department_ids=[definition.department_id],
        region=region, level=level, row_count=len(found.items),
    )  # fmt: skip
    lines = [_line(row, made, masks, shows_level) for row in found.items]
    return Reading(definition, made.columns, lines, found)


def _rows_of(definition: ThematicDataset) -> QuerySet[ThematicRow]:
    """Return the rows that stand; none before the first refresh, when they are still those of the version before it.

    Its columns may have the same names, but other values in them, which the masks of this version are not made for.
    """
    rows = ThematicRow.objects.filter(code=definition.code, left_at=None)
    return rows if definition.refreshes.filter(state=RefreshState.DONE).exists() else rows.none()


def _shown_prefix(region: str, mask: Mask) -> str:
    """Return a division to look for; Invalid when it is narrower than rows are shown: their mask would be got round."""
    if mask_value(mask, region) != region:
        text = _("该主题库的区划只显示到区县，请填写 2 至 6 位的区划代码。")
        raise Invalid("thematic.region_too_narrow", text, {"region": [text]})
    return region


def _line(row: ThematicRow, made: Compiled, masks: Sequence[Mask], shows_level: bool) -> Line:
    values = [_shown(row.values.get(column.name), mask) for column, mask in zip(made.columns, masks, strict=True)]
    region = mask_value(made.region_mask, row.region_code) or ""
    return Line(region, row.level if shows_level else "", values, row.entered_at, row.changed_at)


def _shown(value: Any, mask: Mask) -> Any:
    """Return a value under a mask; numbers and yes or no are hidden as a whole."""
    if value is None or mask is Mask.NONE:
        return value
    return mask_value(mask if isinstance(value, str) else Mask.HIDDEN, str(value))
