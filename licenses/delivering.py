"""Delivering what is issued here into the base database (证照入库): as rows of a source of the issuing department, one a holder.

Licenses changed by transactions that have ended are taken in through `basedb.ingest` like any other source's rows; the same
licenses delivered twice change nothing. Dossiers, look-ups and calls then know them.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from basedb import ingest
from basedb.dictionary.contract import Source
from basedb.dictionary.licenses import LICENSE
from basedb.ingest import Intake, RejectSink
from basedb.models import DataSource
from basedb.staging import RawRow
from core.calendar import SHANGHAI
from core.models import Department
from licenses import subject_keys
from licenses.models import License, LicenseDelivery, LicenseHolder

log = logging.getLogger(__name__)
AT_ONCE: Final = 2_000
NO_RUN: Final = 0  # rows of this source come from no run of aggregation
_REJECTED = RejectSink("SELECT number FROM rejected", ())
Values = tuple[str | None, ...]


def ensure_source(department: Department) -> None:
    """Register the source a department's licenses are delivered by; the door does, workers only read sources."""
    DataSource.objects.get_or_create(
        code=_code(department.code),
        defaults={
            "title": f"{department.short_name}签发的电子证照",
            "dataset": LICENSE.code,
            "department": department,
            "collector": Source.GOVERNMENT_SERVICES,
        },
    )


def _code(issuer_code: str) -> str:
    return f"licenses.issued.{issuer_code}"


def deliver(*, now: datetime) -> int:
    """Deliver everything that changed and is settled; return how many licenses were looked at."""
    looked_at = 0
    while count := _deliver_some(now):
        looked_at += count
    return looked_at


@transaction.atomic
def _deliver_some(now: datetime) -> int:
    LicenseDelivery.objects.get_or_create(id=1)
    progress = LicenseDelivery.objects.select_for_update(skip_locked=True).filter(id=1).first()
    if progress is None:
        return 0  # another worker is at it
    through = _settled_through(progress.through_xid)
    if through is None:
        return 0
    span = Q(changed_xid__gte=progress.through_xid, changed_xid__lte=through)
    changed = list(License.objects.filter(span).select_related("type_version").prefetch_related("holders").order_by("pk"))
    for issuer_code, licenses in _by_issuer(changed).items():
        read, rejected = _take_in(issuer_code, licenses, now)
        progress.delivered += read - rejected
        progress.rejected += rejected
    progress.through_xid, progress.done_at = through + 1, now
    progress.save()
    return len(changed)


def _settled_through(since: int) -> int | None:
    """Return the last transaction to deliver now: below everything still under way, after some two thousand licenses."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
        horizon = int(cursor.fetchone()[0])
    waiting = License.objects.filter(changed_xid__gte=since, changed_xid__lt=horizon).order_by("changed_xid", "id")
    xids = list(waiting.values_list("changed_xid", flat=True)[:AT_ONCE])
    return int(xids[-1]) if xids else None


def _by_issuer(licenses: Iterable[License]) -> dict[str, list[License]]:
    grouped: dict[str, list[License]] = defaultdict(list)
    for license in licenses:
        grouped[license.issuer_code].append(license)
    return grouped


def _take_in(issuer_code: str, licenses: Sequence[License], now: datetime) -> tuple[int, int]:
    source = DataSource.objects.filter(code=_code(issuer_code)).first()
    if source is None:
        log.error("no source for the licenses of issuer %s", issuer_code)
        return 0, 0
    intake = Intake(
        dataset=LICENSE,
        source=source,
        fields=LICENSE.field_names,
        run_id=NO_RUN,
        subject_key=subject_keys.subject_key,
        rejects=_REJECTED,
        today=now.astimezone(SHANGHAI).date(),
        now=now,
    )
    counts = ingest.merge(intake, ingest.stage(intake, f"licenses_issued_{source.pk}", _rows(licenses)))
    if counts.rejected:
        log.error("%s rows of licenses of issuer %s were not taken in", counts.rejected, issuer_code)
    return counts.read, counts.rejected


def _rows(licenses: Sequence[License]) -> list[RawRow]:
    """One row a holder of every current version; an end for holders and numbers only an older version had."""
    standing = _current_of([license for license in licenses if not license.is_current])
    told: list[tuple[Values, bool]] = []
    for license in licenses:
        holders = list(license.holders.all())
        if not license.is_current:
            kept = standing.get((license.type_code, license.issuer_code, license.serial), set())
            holders = [holder for holder in holders if (license.number, holder.code) not in kept]
        told += [(_values(license, holder), not license.is_current) for holder in holders]
    return [RawRow(number, values, gone=gone) for number, (values, gone) in enumerate(told, start=1)]


def _current_of(superseded: Sequence[License]) -> dict[tuple[str, str, str], set[tuple[str, str]]]:
    """Return number and holders of the current versions of licenses, by type, issuer and serial."""
    found: dict[tuple[str, str, str], set[tuple[str, str]]] = defaultdict(set)
    serials = {license.serial for license in superseded}
    current = License.objects.filter(serial__in=serials, is_current=True).prefetch_related("holders") if serials else ()
    for license in current:
        key = (license.type_code, license.issuer_code, license.serial)
        found[key] |= {(license.number, holder.code) for holder in license.holders.all()}
    return found


def _values(license: License, holder: LicenseHolder) -> Values:
    values = {
        "type_code": license.type_code,
        "identifier": license.identifier,
        "title": license.type_version.name,
        "number": license.number,
        "holder_name": holder.name,
        "holder_code": holder.code,
        "holder_code_type": holder.code_type,
        "issuer": license.issuer_name,
        "issuer_code": license.issuer_code,
        "issued_on": _day(license.issued_on),
        "valid_from": _day(license.valid_from),
        "valid_to": _day(license.valid_to),
        "region_code": license.region_code,
        "license_state": license.state,
        "license_version": f"{license.version:03d}",
        "face": json.dumps(license.face, ensure_ascii=False, sort_keys=True),
    }
    return tuple(values.get(name) for name in LICENSE.field_names)


def _day(day: date | None) -> str | None:
    return f"{day:%Y%m%d}" if day else None
