"""Credit records and whether the public may see them (公示状态): one SQL expression every door, dossier and exchange uses.

A record is shown from its day of publication to the end of its last day by Shanghai's calendar, unless it was retracted,
repaired, lifted or shielded; records of natural persons are never open. History stays for those who may audit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID

from django.db.models import BooleanField, CharField, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.credit import display
from basedb.dictionary import DATASETS
from basedb.models import (
    CreditAbnormal,
    CreditCommitment,
    CreditDishonesty,
    CreditEvaluation,
    CreditEvent,
    CreditMeasure,
    CreditPenalty,
    CreditPermit,
    CreditStanding,
)
from basedb.models.credit import CreditRow
from basedb.sql_text import quote
from core.audit import Actor
from core.errors import NotFound
from core.loose_scan import values_of
from core.models import Department
from core.models.shared import CurrentXid
from core.roles import Role

KINDS: Mapping[str, type[CreditRow]] = MappingProxyType(
    {
        "credit.permit": CreditPermit,
        "credit.penalty": CreditPenalty,
        "credit.dishonesty": CreditDishonesty,
        "credit.abnormal": CreditAbnormal,
        "credit.commitment": CreditCommitment,
        "credit.evaluation": CreditEvaluation,
        "credit.measure": CreditMeasure,
    }
)
SHOWN, DISPUTED = display.SHOWN, display.DISPUTED
ADVERSE = tuple(code for code in KINDS if "severity" in DATASETS[code].field_names)
DISPLAY_TITLES = MappingProxyType(
    {
        "WITHDRAWN": gettext_lazy("来源已删除"),
        "RETRACTED": gettext_lazy("已撤销"),
        "REPAIRED": gettext_lazy("已修复"),
        "LIFTED": gettext_lazy("已移出"),
        "ENDED": gettext_lazy("公示期满"),
        "NOT_OPEN": gettext_lazy("自然人，不公开"),
        "SHIELDED": gettext_lazy("临时屏蔽"),
        "NOT_PUBLISHED": gettext_lazy("不公示"),
        DISPUTED: gettext_lazy("公示中，有异议"),
        SHOWN: gettext_lazy("公示中"),
    }
)


def display_sql(dataset: str, row: str, today: date) -> str:
    """The code of `DISPLAY_TITLES` a record has on a day; `row` is the alias or name of its table."""
    return display.display_sql(dataset, row, _literal(today))


def publicly_shown_sql(dataset: str, row: str, today: date) -> str:
    """Whether the public may see a record on a day."""
    return display.publicly_shown_sql(dataset, row, _literal(today))


def _literal(day: date) -> str:
    return f"DATE {quote(day.isoformat())}"


def with_display(dataset: str, today: date) -> QuerySet[CreditRow]:
    """Return the records of a kind, each with its `display`."""
    model = KINDS[dataset]
    shown = RawSQL(display_sql(dataset, model._meta.db_table, today), [], output_field=CharField())  # noqa: S611  # of the contract
    return model._default_manager.select_related("source_department").annotate(display=shown)


def public_records(dataset: str, *, subject_key: bytes | None, today: date) -> QuerySet[CreditRow]:
    """Return the records of a kind the public may see, of one subject or of all."""
    model = KINDS[dataset]
    condition = publicly_shown_sql(dataset, model._meta.db_table, today)
    is_shown = RawSQL(condition, [], output_field=BooleanField())  # noqa: S611  # made of the field contract
    found = with_display(dataset, today).filter(is_shown)
    return found if subject_key is None else found.filter(subject_key=subject_key)


def records_visible_to(actor: Actor, dataset: str, *, today: date) -> QuerySet[CreditRow]:
    """Return what a department delivered to its own people, everything to the authority's reviewers and to auditors."""
    if dataset not in KINDS:
        raise _unknown()
    found = with_display(dataset, today)
    if actor.has(Role.AUDIT_ADMINISTRATOR) or is_window(actor):
        return found
    if actor.department_id is not None and actor.has(Role.OPERATOR, Role.HEAD):
        return found.filter(source_department_id=actor.department_id)
    return found.none()


def departments_with(dataset: str) -> list[int]:
    """Return the departments that delivered records of a kind."""
    return values_of(KINDS[dataset], "source_department")


def is_window(actor: Actor) -> bool:
    """Return whether somebody works at the single window of credit (信用主管部门)."""
    return actor.is_data_centre and actor.has(Role.REVIEWER)


def key_of(text: str) -> bytes:
    """Return the row key an address names; NotFound for what is none."""
    try:
        return UUID(hex=text).bytes
    except ValueError as error:
        raise _unknown() from error


def get_visible(dataset: str, row_key: bytes, actor: Actor, *, today: date, or_public: bool = False) -> CreditRow:
    """Return a record the actor may see or the own department determined; with `or_public` also one everybody may see."""
    found = [records_visible_to(actor, dataset, today=today), _determined_by(actor, dataset, today=today)]
    if or_public:
        found.append(public_records(dataset, subject_key=None, today=today))
    for rows in found:
        record = rows.filter(row_key=row_key).first()
        if record is not None:
            return record
    raise _unknown()


def _determined_by(actor: Actor, dataset: str, *, today: date) -> QuerySet[CreditRow]:
    """Return what a department determined, whoever delivered it, to its own people: they repair and retract it."""
    found = with_display(dataset, today)
    if actor.department_id is None or not actor.has(Role.OPERATOR, Role.HEAD):
        return found.none()
    own = Department.objects.filter(pk=actor.department_id, valid_to=None)
    return found.filter(authority_code__in=own.values("code"))


def lock(dataset: str, record: CreditRow) -> CreditStanding:
    """Make everybody who acts on a record queue, and return what stands against showing it, to be changed and saved."""
    KINDS[dataset]._default_manager.select_for_update(no_key=True).get(pk=record.pk)
    standing, _made = CreditStanding.objects.get_or_create(dataset=dataset, row_key=bytes(record.row_key))
    return standing


def touch(dataset: str, **which: object) -> int:
    """Tell the receivers of feeds that records are shown otherwise than before; return how many."""
    return KINDS[dataset]._default_manager.filter(**which).update(changed_xid=CurrentXid())


def note_event(dataset: str, record: CreditRow, kind: str, *, actor: Actor, at: datetime, note: str = "") -> None:
    """Append what was done about a record to its history."""
    CreditEvent.objects.create(
        dataset=dataset,
        row_key=bytes(record.row_key),
        at=at,
        kind=kind,
        actor_name=actor.name,
        department=actor.department,
        note=note[:500],
    )


def owner_of(record: CreditRow) -> Department:
    """Return the department that determined the record, else the one that delivered it: whoever determines repairs."""
    determining = Department.objects.filter(code=record.authority_code, valid_to=None).first()
    return determining or record.source_department


def _unknown() -> NotFound:
    return NotFound("credit.not_found", _("没有这条信用记录，或您无权查看。"))
