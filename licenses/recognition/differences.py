"""The differences report (差异报告): what we hold of a node's region against what the node says it has, by type and month.

Only where counts or digests differ are the licenses themselves compared: missing here, missing there, another state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit
from core.audit import PLATFORM
from core.errors import Invalid
from licenses.models import DifferenceItem, DifferenceKind, DifferenceLine, DifferenceReport, NodeRelation, TrustedNode
from licenses.recognition import documents, holdings, questions
from licenses.recognition.holdings import Line

LOOKED_INTO: Final = 200
ITEMS_AT_MOST: Final = 5_000
Pair = tuple[str, str]  # identifier and state


def compare(*, node: TrustedNode, now: datetime) -> DifferenceReport:
    """Compare what we hold with what a node says, and keep the report."""
    region = settings.NODE_CODE if node.relation == NodeRelation.ABOVE else node.region_code
    theirs = _lines(questions.ask(node=node, kind=questions.SUMMARY, now=now, region=region))
    ours = {(line.type_code, line.month): line for line in holdings.summary(region)}
    different = sorted(at for at in ours.keys() | theirs.keys() if ours.get(at) != theirs.get(at))
    items: list[DifferenceItem] = []
    for type_code, month in different[:LOOKED_INTO]:
        if len(items) >= ITEMS_AT_MOST:
            break
        about = {"region": region, "type_code": type_code, "month": month}
        told = questions.ask(node=node, kind=questions.LINES, now=now, **about)
        items += _items(type_code, holdings.licenses(region, type_code, month), _licenses(told))
    return _keep(node, ours, theirs, items[:ITEMS_AT_MOST], now)


@transaction.atomic
def _keep(
    node: TrustedNode,
    ours: Mapping[tuple[str, str], Line],
    theirs: Mapping[tuple[str, str], Line],
    items: list[DifferenceItem],
    now: datetime,
) -> DifferenceReport:
    lines = [
        DifferenceLine(
            type_code=at[0], month=at[1], ours=ours[at].held if at in ours else 0,
            theirs=theirs[at].held if at in theirs else 0, is_same=ours.get(at) == theirs.get(at),
        )
        for at in sorted(ours.keys() | theirs.keys())
    ]  # fmt: skip
    different = sum(not line.is_same for line in lines)
    report = DifferenceReport.objects.create(
        node=node, made_at=now, ours=sum(line.ours for line in lines), theirs=sum(line.theirs for line in lines),
        different=different,
    )  # fmt: skip
    for line in lines:
        line.report = report
    for item in items:
        item.report = report
    DifferenceLine.objects.bulk_create(lines, batch_size=2_000)
    DifferenceItem.objects.bulk_create(items, batch_size=2_000)
    audit.record(PLATFORM, "license_differences.compared", report, at=now, node=node.code, different=different)
    return report


def is_cut(report: DifferenceReport) -> bool:
    """Return whether a report may name fewer licenses than differ."""
    long = Q(ours__gt=holdings.LINES_AT_MOST) | Q(theirs__gt=holdings.LINES_AT_MOST)
    is_full = report.different > LOOKED_INTO or report.items.count() >= ITEMS_AT_MOST
    return is_full or report.lines.filter(long, is_same=False).exists()


def _items(type_code: str, ours: Sequence[Pair], theirs: Sequence[Pair]) -> Iterator[DifferenceItem]:
    """Compare two lists in the order of the identifiers, as far as both reach: what lies beyond a full one is not known."""
    end = min((max(side)[0] for side in (ours, theirs) if len(side) >= holdings.LINES_AT_MOST), default=None)
    own, told = dict(ours), dict(theirs)
    for identifier in sorted(own.keys() | told.keys()):
        if end is not None and identifier > end:
            return
        here, there = own.get(identifier, ""), told.get(identifier, "")
        if here == there:
            continue
        kind = DifferenceKind.THERE_ONLY if not here else DifferenceKind.HERE_ONLY if not there else DifferenceKind.STATE
        yield DifferenceItem(kind=kind, type_code=type_code, identifier=identifier, our_state=here, their_state=there)


def _lines(told: Mapping[str, Any]) -> dict[tuple[str, str], Line]:
    lines = told.get("lines")
    if not isinstance(lines, list) or len(lines) > holdings.LINES_AT_MOST:
        raise _fault()
    found = {}
    for line in lines:
        is_line = isinstance(line, list) and len(line) == 4 and isinstance(line[2], int) and 0 <= line[2] < 1 << 31
        if not is_line or not all(isinstance(line[n], str) and documents.is_plain(line[n]) for n in (0, 1, 3)):
            raise _fault()
        found[line[0][:21], line[1][:7]] = Line(*line)
    return found


def _licenses(told: Mapping[str, Any]) -> list[Pair]:
    lines = told.get("licenses")
    if not isinstance(lines, list) or len(lines) > holdings.LINES_AT_MOST:
        raise _fault()
    found = []
    for line in lines:
        if not (isinstance(line, list) and len(line) == 2 and all(isinstance(v, str) and documents.is_plain(v) for v in line)):
            raise _fault()
        found.append((line[0][:128], line[1][:2]))
    return found


def _fault() -> Invalid:
    return Invalid("recognition.answer_invalid", _("对方节点的答复格式不正确，没有采用。"))
