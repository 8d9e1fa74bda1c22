"""Rejected rows as a file (拒收记录下载与回传): taken out as CSV, corrected in a spreadsheet, brought back.

Cells that a spreadsheet would run as a formula are written with an apostrophe before them, which is taken off again on the
way back. Taking rows out is audited like any reading of personal data.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from basedb import ingest
from core import audit
from core.audit import Actor
from core.errors import Invalid
from core.texts import cell_as_it_was, harmless_cell, listed
from exchange.aggregation.connector import fields_of
from exchange.aggregation.connectors import csv_reading
from exchange.aggregation.connectors.drops import refused
from exchange.aggregation.rejects import DAMAGED, OPEN_STATES, keep_correction
from exchange.aggregation.visibility import rejected_visible_to, visible_plan
from exchange.models import AggregationPlan, RejectedRow

MOST_ROWS = 5_000
LARGEST_FILE = 4 * 1024 * 1024
OWN_COLUMNS = ("编号", "来源文件", "归集时间", "行号", "规则", "说明")


def header_of(plan: AggregationPlan) -> list[str]:
    """Return the columns of the file: ours first, then the source's own; one that stands already has its field behind its name."""
    header = list(OWN_COLUMNS)
    for field in fields_of(plan):
        column = plan.columns[field]
        header.append(f"{column} {field}" if column in header else column)
    return header


@transaction.atomic
def start_download(*, plan_uid: UUID, rows: QuerySet[RejectedRow], actor: Actor, now: datetime) -> Iterator[bytes]:
    """Audit the taking out of a plan's rejected rows and return the file piece by piece, UTF-8 with a byte order mark."""
    plan = visible_plan(plan_uid, actor)
    chosen = rows.filter(plan=plan).order_by("id")
    audit.record(actor, "rejected_row.downloaded", plan, at=now, department_ids=[plan.department_id], rows=chosen.count())
    return _file(plan, chosen)


def _file(plan: AggregationPlan, rows: QuerySet[RejectedRow]) -> Iterator[bytes]:
    fields = fields_of(plan)
    yield "\ufeff".encode() + _line(header_of(plan))
    for row in rows.iterator(chunk_size=500):
        values = row.raw | (row.correction or {})
        said = ingest.message_of(plan.dataset, row.rule, row.related_line)
        damaged = row.raw.get(DAMAGED)
        if damaged is not None:
            said = _("%(what)s，原行：%(row)s") % {"what": said, "row": damaged}
        started = f"{timezone.localtime(row.run.queued_at):%Y-%m-%d %H:%M:%S}"
        own = [str(row.uid), row.run.file_name, started, row.line_number, row.rule, said]
        yield _line([*own, *(values.get(field) for field in fields)])


def _line(values: Sequence[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([harmless_cell(value) for value in values])
    return text.getvalue().encode()


@transaction.atomic
def upload(*, plan_uid: UUID, file: IO[bytes], size: int, actor: Actor, now: datetime) -> int:
    """Take corrections from a file of our own columns, all or none; errors name the line. Return how many rows were corrected."""
    plan = visible_plan(plan_uid, actor)
    if size > LARGEST_FILE:
        raise Invalid("file.too_large", _("文件过大，最多 4 MB。"))
    encoding = csv_reading.detect_encoding(file)
    wanted = header_of(plan)
    places = csv_reading.read_header(file, encoding, wanted)
    corrected = 0
    for record in csv_reading.records(file, encoding, len(wanted)):
        if record.fault:
            raise refused("row", _at(record.line, str(ingest.ROW_RULES[record.fault])), line=record.line)
        if corrected == MOST_ROWS:
            raise refused("too_many", _("一次最多更正 %(count)s 行。") % {"count": MOST_ROWS})
        _take(plan, [record.values[place] or "" for place in places], record.line, actor=actor, now=now)
        corrected += 1
    if not corrected:
        raise refused("empty", _("文件只有表头，没有数据行。"))
    audit.record(actor, "rejected_row.uploaded", plan, at=now, department_ids=[plan.department_id], rows=corrected)
    return corrected


def _take(plan: AggregationPlan, values: list[str], line: int, *, actor: Actor, now: datetime) -> None:
    """Keep one corrected line; a row of another plan does not exist here."""
    try:
        uid = UUID(values[0].strip())
    except ValueError as error:
        raise refused("row", _at(line, _("编号不正确")), line=line) from error
    rows = rejected_visible_to(actor).select_for_update(of=("self",), no_key=True)
    row = rows.filter(plan=plan, uid=uid, state__in=OPEN_STATES).first()
    if row is None:
        raise refused("row", _at(line, _("没有这条待处理的拒收记录")), line=line)
    texts = [cell_as_it_was(text) for text in values[len(OWN_COLUMNS) :]]
    try:
        keep_correction(row, dict(zip(fields_of(plan), texts, strict=True)), now=now)
    except Invalid as error:
        reasons = listed(error.details.values())
        raise refused("row", _at(line, reasons), line=line) from error


def _at(line: int, what: str) -> str:
    return _("第 %(line)s 行：%(what)s。") % {"line": line, "what": what}
