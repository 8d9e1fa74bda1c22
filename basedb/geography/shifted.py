"""Which sources may keep shifted coordinates (偏移坐标): those of consumer maps (GCJ-02, BD-09) are refused otherwise.

Kept coordinates are marked row by row; they are never turned back, which nobody can do exactly.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from basedb.dictionary.geography import DATASETS
from basedb.models import DataSource, GeometrySource
from core import audit
from core.audit import Actor
from core.errors import Forbidden, Invalid, NotFound
from core.roles import Role

LONGEST_REASON = 200


def sources() -> list[tuple[DataSource, GeometrySource | None]]:
    """Return the sources that deliver places, each with what was decided about it."""
    codes = [dataset.code for dataset in DATASETS]
    found = list(DataSource.objects.filter(dataset__in=codes).select_related("department").order_by("dataset", "id"))
    decided = {one.pk: one for one in GeometrySource.objects.filter(source__in=found).select_related("decided_by")}
    return [(source, decided.get(source.pk)) for source in found]


def find(code: str) -> DataSource:
    """Return one of `sources`."""
    source = DataSource.objects.filter(code=code, dataset__in=[dataset.code for dataset in DATASETS]).first()
    if source is None:
        raise NotFound("geometry_source.not_found", _("没有这个空间数源。"))
    return source


def may_decide(actor: Actor) -> bool:
    """Return whether somebody decides about coordinates."""
    return actor.is_data_centre and actor.has(Role.REVIEWER)


@transaction.atomic
def decide(*, code: str, is_kept: bool, reason: str, actor: Actor, now: datetime) -> GeometrySource:
    """Let a source keep shifted coordinates from its next batch on, or let them be refused again."""
    if not may_decide(actor):
        raise Forbidden("geometry_source.centre_only", _("由数据主管部门的审核员决定。"))
    source, reason = find(code), reason.strip()
    if not reason or len(reason) > LONGEST_REASON:
        text = _("请填写理由，最多 %(longest)d 字。") % {"longest": LONGEST_REASON}
        raise Invalid("geometry_source.reason_missing", text, {"reason": [text]})
    told = {"is_shifted_kept": is_kept, "reason": reason, "decided_by_id": actor.user_id, "decided_at": now}
    decided, _is_new = GeometrySource.objects.update_or_create(source=source, defaults=told)
    audit.record(
        actor, "geometry_source.decided", source, at=now, department_ids=[source.department_id], source=code, kept=is_kept,
        reason=reason,
    )  # fmt: skip
    return decided
