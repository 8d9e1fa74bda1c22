"""The clocks of missing licenses (办理期限): working days of each stage, kept as data, changed by the data centre.

A change holds from a day on; what runs already keeps its deadline. Deadlines are computed by `core.working_days`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid
from core.roles import Role
from core.working_days import deadline
from licenses.models import MissingClock, MissingStage

STANDARD: Final = {MissingStage.RECEIVE: 1, MissingStage.CHECK: 5, MissingStage.EXTENSION: 5, MissingStage.REISSUE: 3}
LONGEST: Final = 60


def days_of(stage: MissingStage, on: date) -> int:
    """Return the working days of a stage on a day; the standard where nothing is set."""
    found = MissingClock.objects.filter(stage=stage, effective__contains=on).values_list("days", flat=True).first()
    return found if found is not None else STANDARD[stage]


def due_at(stage: MissingStage, start: datetime) -> datetime:
    """Return when a stage that begins now has to be done."""
    return deadline(start, days_of(stage, start.astimezone(SHANGHAI).date()))


@transaction.atomic
def set_clock(*, stage: str, days: int, citation: str, from_day: date, actor: Actor, now: datetime) -> MissingClock:
    """Set the working days of a stage from a day on; what was set before ends there."""
    if not (actor.is_data_centre and actor.has(Role.REVIEWER)):
        raise Forbidden("missing.clock_not_yours", _("办理期限由数据中心审核员设定。"))
    faults = {}
    if stage not in MissingStage.values:
        faults["stage"] = [_("请选择环节。")]
    if not 1 <= days <= LONGEST:
        faults["days"] = [_("请填写 1 至 %(longest)s 个工作日。") % {"longest": LONGEST}]
    if from_day <= now.astimezone(SHANGHAI).date():
        faults["from_day"] = [_("新的期限最早从明天起施行，正在办理的报告不受影响。")]
    if not citation.strip():
        faults["citation"] = [_("请写明依据。")]
    if faults:
        raise Invalid("missing.clock_invalid", _("期限设定有误，请一并修改。"), faults)
    clocks = MissingClock.objects.select_for_update().filter(stage=stage)
    if clocks.filter(effective__startswith__gte=from_day).exists():
        raise Conflict("missing.clock_later", _("该环节已设有更晚施行的期限，请选择更晚的日期。"))
    for clock in clocks.filter(effective__contains=from_day):
        clock.effective = DateRange(clock.effective.lower, from_day)
        clock.save(update_fields=["effective"])
    made = MissingClock.objects.create(stage=stage, days=days, citation=citation.strip()[:200], effective=DateRange(from_day, None))
    audit.record(actor, "missing_clock.set", made, at=now, stage=stage, days=days, from_day=from_day.isoformat())
    return made


def in_force(on: date) -> list[MissingClock]:
    """Return the clocks in force on a day or later, in the order of the stages."""
    order = {stage: place for place, stage in enumerate(MissingStage.values)}
    found = MissingClock.objects.filter(effective__overlap=DateRange(on, on + timedelta(days=3650)))
    return sorted(found, key=lambda clock: (order[clock.stage], clock.effective.lower or date.min))
