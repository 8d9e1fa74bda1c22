"""May this job go on (续权核查): asked before every part is written and before every part is handed over.

The answer is the one every call gets. Beyond it, the terms must be those the job was opened under: columns, masks and rows.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from basedb.lookup import Selection, inside_sql
from basedb.parts import Rows
from exchange.calls import registry, shape
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Terms
from exchange.models import BulkJob


def rows_of(terms: Terms, selection: Selection) -> Rows:
    """Return the rows a copy under these terms holds."""
    if terms.remote is not None:  # the parts are cut by subject, which only the base databases have
        raise Refusal("grant.unusable", {"source": "not_copied_in_parts"})
    return Rows(selection, inside_sql(selection, **terms.inside()))


def digest_of(rows: Rows) -> bytes:
    """Return the digest of what may be copied: equal for equal columns, masks and limits of rows."""
    return hashlib.sha256(repr(rows).encode()).digest()


def check_same(job: BulkJob, rows: Rows) -> None:
    """Refuse when the job was opened under other terms."""
    if digest_of(rows) != bytes(job.terms_digest):
        raise Refusal("job.terms_changed")


def rows_now(job: BulkJob, now: datetime) -> Rows:
    """Return the rows of a job when its grant still allows them; asked of the database, not of memory."""
    terms = registry.grants.reload(str(job.grant.uid))
    known, selection = shape.check_terms(terms, job.grant.system_id, "BULK", now)
    if not set(job.fields) <= set(selection.items):
        raise Refusal("job.terms_changed")
    rows = rows_of(known, selection.only(job.fields))
    check_same(job, rows)
    return rows
