"""Bulk jobs as systems call for them (批量作业调用): open one, look at it, fetch its parts, cancel it.

Every part handed over has its own opened record before its first byte and a closed one after its last, as streamed answers do.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import DatabaseError

from basedb.lookup import Selection
from basedb.parts import Rows
from exchange.bulk_jobs import files, jobs, permission
from exchange.bulk_jobs.ranges import Span, read_range
from exchange.calls import connections, records
from exchange.calls.operations import Served
from exchange.calls.refusals import Refusal
from exchange.calls.shape import context_of, narrowed_to, read_parameters
from exchange.calls.terms import Incoming, Question, Signed, Terms
from exchange.models import BulkJob, BulkPart, FileFormat

CHUNK: Final = 262_144
TYPES: Final = {
    FileFormat.CSV.value: "text/csv; charset=utf-8",
    FileFormat.JSON_LINES.value: "application/x-ndjson; charset=utf-8",
    FileFormat.EXCEL.value: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class OpenJob:
    """Order a copy in parts."""

    is_order = True

    def __init__(self, call: Incoming) -> None:
        self._form = FileFormat.CSV.value
        self._rows: Rows | None = None
        self._expected_count = 0

    def read(self, body: bytes, selection: Selection) -> Question:
        """Read items and format, both optional."""
        given = read_parameters(body, (), ("fields", "format", "context", "parameters"))
        self._form = given.get("format", FileFormat.CSV.value)
        if self._form not in TYPES:
            raise Refusal("call.invalid_parameter", {"format": "csv_jsonl_or_xlsx"})
        return Question(narrowed_to(selection, given), None, context=context_of(given))

    def prepare(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> None:
        """Count the rows; refuse a sheet too long and a second job beside one that is being written."""
        self._rows = permission.rows_of(terms, question.selection)
        jobs.check_no_other(terms, self._rows, self._form)
        self._expected_count = jobs.count_rows(self._rows, self._form)

    def serve(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> Served:
        """Note the job; a worker takes it up within seconds."""
        rows = permission.rows_of(terms, question.selection)
        job = jobs.open_job(signed=signed, terms=terms, rows=rows, form=self._form, expected_count=self._expected_count, now=now)
        place = f"{signed.path}/{job.uid}"
        return Served(_json(signed, job), status=202, headers=[("Location", place)])


class _OnJob:
    """What is asked about a job: no body, and the job of this very grant."""

    is_order = False

    def __init__(self, call: Incoming) -> None:
        self._call = call
        self._job: BulkJob | None = None

    def read(self, body: bytes, selection: Selection) -> Question:
        """Nothing is asked but what the path says."""
        if body:
            raise Refusal("call.invalid_parameter", {"body": "must_be_empty"})
        return Question(selection, None)

    def prepare(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> None:
        """Find the job."""
        self._job = jobs.job_of(terms, self._call.place[0])

    @property
    def job(self) -> BulkJob:
        """The job that was found."""
        if self._job is None:
            raise Refusal("job.not_found")
        return self._job


class ShowJob(_OnJob):
    """Tell the state of a job and its manifest."""

    def serve(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> Served:
        """Answer the manifest, signed as every answer is."""
        return Served(_json(signed, self.job))


class CancelJob(_OnJob):
    """Cancel a job and remove its files."""

    def serve(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> Served:
        """Cancel, and tell how it stands now."""
        return Served(_json(signed, jobs.cancel_called(terms=terms, uid=self._call.place[0], now=now)))


class HandOverPart(_OnJob):
    """Hand over a part, whole or by range, when the grant still allows exactly this."""

    def __init__(self, call: Incoming) -> None:
        super().__init__(call)
        self._part: BulkPart | None = None
        self._span = Span(0, 0, False)

    def prepare(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> None:
        """Find the part and the bytes that are wanted."""
        super().prepare(signed, terms, question, now)
        part = jobs.part_of(self.job, int(self._call.place[1]), now)
        self._check_terms(terms, question)
        span = read_range(self._call.wanted_range, self._call.if_range, _etag(part), part.byte_count)
        if span is None:
            raise Refusal("job.range_not_satisfiable", {"Range": "outside"})
        self._part, self._span = part, span

    def _check_terms(self, terms: Terms, question: Question) -> None:
        if not set(self.job.fields) <= set(question.selection.items):
            raise Refusal("job.terms_changed")
        permission.check_same(self.job, permission.rows_of(terms, question.selection.only(self.job.fields)))

    def serve(self, signed: Signed, terms: Terms, question: Question, now: datetime) -> Served:
        """Note the fetch and let the file go; under the terms the opened record was written for."""
        part, span = self._part, self._span
        if part is None:
            raise Refusal("job.not_found")
        self._check_terms(terms, question)
        try:
            file = os.open(files.path_of(self.job.uid, part.number, self.job.format), os.O_RDONLY)
        except FileNotFoundError:
            raise Refusal("job.gone") from None
        try:
            jobs.note_fetch(part=part, signed=signed, first_byte=span.first, byte_count=span.length, now=now)
        except DatabaseError:
            os.close(file)
            raise
        asked = Question(question.selection.only(self.job.fields), None)
        return Served(
            Handover(file, span, (signed, terms, asked), part.row_count),
            status=206 if span.is_part else 200,
            content_type=TYPES[self.job.format],
            headers=_file_headers(self.job, part, span),
        )


class Handover:
    """Bytes of a part on their way; however it ends, the closing record says how."""

    def __init__(self, file: int, span: Span, call: tuple[Signed, Terms, Question], row_count: int) -> None:
        self._file, self._span, self._call, self._row_count = file, span, call, row_count
        self._digest = hashlib.sha256()
        self._sent = 0
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            while left := self._span.length - self._sent:
                chunk = os.pread(self._file, min(CHUNK, left), self._span.first + self._sent)
                if not chunk:
                    raise ConnectionAbortedError("the file ended early")
                self._digest.update(chunk)
                yield chunk
                self._sent += len(chunk)
        finally:
            self.close()

    def close(self) -> None:
        """Append the closing record; only the first call does something."""
        if self._is_closed:
            return
        self._is_closed = True
        os.close(self._file)
        is_complete = self._sent == self._span.length
        try:
            records.record_closed(
                *self._call,
                outcome="call.closed" if is_complete else "call.aborted",
                row_count=self._row_count if is_complete else None,
                answer_digest=self._digest.digest(),
            )
        except Refusal:
            connections.logger.error("a part was handed over without its closing record: %s", self._call[0].call_id)


def _json(signed: Signed, job: BulkJob) -> bytes:
    told: dict[str, Any] = {"call_id": signed.call_id} | jobs.manifest(job)
    return json.dumps(told, ensure_ascii=False).encode()


def _etag(part: BulkPart) -> str:
    return f'"{bytes(part.sha256).hex()}"'


def _file_headers(job: BulkJob, part: BulkPart, span: Span) -> list[tuple[str, str]]:
    headers = [
        ("Content-Length", str(span.length)),
        ("Accept-Ranges", "bytes"),
        ("ETag", _etag(part)),
        ("Content-Disposition", f'attachment; filename="{job.uid}-{part.number:06d}.{job.format}"'),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if span.is_part:
        headers.append(("Content-Range", f"bytes {span.first}-{span.first + span.length - 1}/{part.byte_count}"))
    return headers
