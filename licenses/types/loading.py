"""Loading license types in bulk (证照目录批量装载): a JSON or CSV file, checked line by line, laid down whole or not at all.

New types and types that are only listed are taken; a type whose face a department laid down is changed by that department alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from basedb.models import LicenseType
from core import audit
from core.audit import PLATFORM, Actor
from core.errors import Forbidden, Invalid
from core.models import Department
from core.texts import headed, in_clauses
from licenses.models import TypeState, TypeUse, TypeVersion
from licenses.types import publishing, standing
from licenses.types.comparing import differences
from licenses.types.load_file import Row, rows_of
from licenses.types.publishing import content_of, reviews, today

MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: what it would do (NEW, NEXT, UNCHANGED), or what is wrong with it."""

    number: int
    code: str
    name: str
    outcome: str = ""
    item_count: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file would do, or did."""

    lines: tuple[Line, ...]

    @property
    def faulty(self) -> tuple[Line, ...]:
        """The lines that keep the whole file from being loaded."""
        return tuple(line for line in self.lines if line.faults)

    def count(self, outcome: str) -> int:
        """Return how many lines have an outcome."""
        return sum(line.outcome == outcome for line in self.lines)

    @property
    def new_count(self) -> int:
        """How many types are new."""
        return self.count("NEW")

    @property
    def next_count(self) -> int:
        """How many types get a next version."""
        return self.count("NEXT")

    @property
    def unchanged_count(self) -> int:
        """How many types are there already, just so."""
        return self.count("UNCHANGED")


def preview(*, content: bytes, file_name: str, actor: Actor, now: datetime) -> Outcome:
    """Check a file without keeping anything; Invalid when it is no such file at all."""
    _require(actor)
    return _judged(rows_of(content, file_name), today(now))[0]


@transaction.atomic
def load(*, content: bytes, file_name: str, actor: Actor, now: datetime, department: Department | None = None) -> Outcome:
    """Load a file; a single faulty line raises Invalid and nothing is kept. Types without a department are `department`'s."""
    _require(actor)
    return _laid_down(rows_of(content, file_name), actor=actor, now=now, department=department, source=file_name)


@transaction.atomic
def load_rows(*, rows: Iterable[Row], department: Department, now: datetime, keepers: Mapping[str, Department]) -> Outcome:
    """Load what is shipped, of which only types that are not there yet are taken; `keepers`: by the name of the defining body."""
    standing.lock()
    there = set(TypeVersion.objects.values_list("code", flat=True))
    missing = [row for row in rows if row.facts is None or row.facts.code not in there]
    named = [replace(row, department=keepers[row.facts.defining_body]) if _kept(row, keepers) else row for row in missing]  # type: ignore[union-attr]
    return _laid_down(named, actor=PLATFORM, now=now, department=department, source="shipped")


def _kept(row: Row, keepers: Mapping[str, Department]) -> bool:
    return row.department is None and row.facts is not None and row.facts.defining_body in keepers


def _laid_down(rows: Iterable[Row], *, actor: Actor, now: datetime, department: Department | None, source: str) -> Outcome:
    standing.lock()
    outcome, judged = _judged(rows, today(now))
    if outcome.faulty:
        told = [headed(f"{line.number} {line.code}", in_clauses(line.faults)) for line in outcome.faulty[:MOST_TOLD]]
        text = _("有 %(count)d 行不符合要求，整份文件没有装载。") % {"count": len(outcome.faulty)}
        raise Invalid("license_type.load_refused", text, {"file": told})
    keeper = department or Department.objects.filter(pk=actor.department_id or 0).first()
    if keeper is None:
        raise Invalid("license_type.no_department", _("没有可登记为维护部门的部门，请先登记数据主管部门。"))
    for row, line in zip(judged, outcome.lines, strict=True):
        if line.outcome != "UNCHANGED":
            version = _published(row, row.department or keeper, actor=actor, now=now)
            _add_uses(row, version, actor=actor, now=now)
    if outcome.new_count or outcome.next_count:
        audit.record(
            actor,
            "license_type.loaded",
            None,
            at=now,
            department_ids=[keeper.pk],
            source=source[:200],
            new=outcome.new_count,
            next=outcome.next_count,
            unchanged=outcome.unchanged_count,
        )
    return outcome


def _judged(rows: Iterable[Row], day: date) -> tuple[Outcome, list[Row]]:
    given = list(rows)
    codes = {row.code for row in given}
    newest = {one.code: one for one in TypeVersion.objects.filter(code__in=codes).select_related("department").order_by("number")}
    entered = {one.code: one for one in LicenseType.objects.filter(code__in=codes).order_by("effective")}
    seen: dict[str, int] = {}
    lines = []
    for row in given:
        faults, outcome = list(row.faults), ""
        if row.code and row.code in seen:
            faults.append(_("与第 %(number)d 行的类型代码重复。") % {"number": seen[row.code]})
        seen.setdefault(row.code, row.number)
        if not faults:
            before = newest.get(row.code)
            outcome = "NEW" if before is None else "NEXT" if differences(content_of(before), row.content) else "UNCHANGED"
            first = row.effective_from or day
            refusal = "" if outcome == "UNCHANGED" else _refusal(before, entered.get(row.code), first)
            faults += [refusal] if refusal else []
        lines.append(Line(row.number, row.code, row.name, "" if faults else outcome, len(row.rulebook.items), tuple(faults)))
    return Outcome(tuple(lines)), given


def _refusal(before: TypeVersion | None, entry: LicenseType | None, first: date) -> str:
    """Return why a sound row may not become the next version of what is there, or nothing."""
    keeper = {"department": before.department.name} if before else {}
    if before is not None and before.state == TypeState.DRAFT:
        return _("%(department)s正在编制这个类型，请等其发布后再装载。") % keeper
    if before is not None and before.state == TypeState.RETIRED:
        return _("这个类型已停用，不能再装载。")
    if before is not None and before.rulebook:
        return _("这个类型的照面由%(department)s维护，修改请由其编制新版本。") % keeper
    began = entry.effective.lower if entry is not None else None
    if began is not None and (first < began or (before is not None and first == began)):
        return _("目录中现有版本自 %(day)s 起施行，施行日期须晚于该日。") % {"day": began.isoformat()}
    return ""


def _published(row: Row, department: Department, *, actor: Actor, now: datetime) -> TypeVersion:
    content = row.content
    before = TypeVersion.objects.filter(code=content.facts.code).order_by("-number").first()
    version = TypeVersion(
        **content.facts.to_json(),
        number=before.number + 1 if before else 1,
        rulebook=content.rulebook.to_json(),
        layout=content.layout.to_json(),
        department=before.department if before else department,
        created_by_id=actor.user_id,
        published_by_id=actor.user_id,
        published_at=now,
    )
    publishing.put_in_force(version, row.effective_from or today(now))
    version.save()
    return version


def _add_uses(row: Row, version: TypeVersion, *, actor: Actor, now: datetime) -> None:
    """Enter the uses a row brings with a new type; those of a type that is there are its department's business."""
    if version.number > 1:
        return
    first_day = version.effective.lower
    TypeUse.objects.bulk_create(
        TypeUse(
            type_code=version.code,
            matter=terms.matter,
            purpose=terms.purpose,
            basis=terms.basis,
            items=list(terms.items),
            department=version.department,
            effective=DateRange(first_day, None),
            created_by_id=actor.user_id,
            published_by_id=actor.user_id,
            published_at=now,
        )
        for terms in row.uses
    )


def _require(actor: Actor) -> None:
    if actor != PLATFORM and not reviews(actor):
        raise Forbidden("license_type.centre_only", _("证照目录由数据主管部门的审核员批量装载。"))
