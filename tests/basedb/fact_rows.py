"""Rows of facts for the tests: one good row a dataset, a source for it, and taking them in through the real door."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from basedb import ingest
from basedb.dictionary import DATASETS, Dataset
from basedb.identifiers import generate_citizen_id, generate_uscc
from basedb.ingest import Counts, Intake, RejectSink
from basedb.models import DataSource
from basedb.staging import RawRow
from core.crypto import KeyRing
from core.models import Department

RING = KeyRing(current=1, keys={1: bytes(32)}, pepper=bytes(range(32)))
Row = dict[str, str | None]
_TABLES = itertools.count()


def citizen(serial: int, born: date = date(1980, 5, 6)) -> str:
    """The id of a synthetic man (odd) or woman (even)."""
    return generate_citizen_id("990101", born, serial)


def uscc(serial: int, kind: str = "91") -> str:
    """The code of a synthetic entity."""
    return generate_uscc(serial, region="990101", kind=kind)


ME, SHE, FIRM = citizen(121), citizen(122), uscc(4711)
KEY = RING.subject_key(SHE).hex()
FIRM_KEY = RING.subject_key(uscc(4712)).hex()
GOOD: Mapping[str, Row] = {
    "population.name_usage": {
        "citizen_id": ME, "name_kind": "2", "used_name": "王小国", "used_from": "19800506", "used_to": "19990101",
    },
    "population.identifier": {
        "citizen_id": ME, "person_paper": "414", "paper_number": "EA1234567", "issued_on": "20200101", "expires_on": "20300101",
    },
    "population.household": {
        "household_number": "99010100012345", "household_kind": "1", "head_key": KEY, "region_code": "320102002",
    },
    "population.household_member": {
        "citizen_id": ME, "household_number": "99010100012345", "household_relation": "11", "joined_on": "20050101",
    },
    "population.residence": {
        "citizen_id": ME, "residence_kind": "2", "region_code": "320102002", "address": "珠江路1号", "moved_in_on": "20050101",
    },
    "population.vital_event": {
        "citizen_id": ME, "vital_event": "30", "occurred_on": "20050520", "registered_on": "20050520", "partner_key": KEY,
    },
    "population.attribute": {"citizen_id": ME, "attribute_kind": "EDUCATION", "attribute_value": "20", "valid_from": "20020701"},
    "legal_entity.change": {"uscc": FIRM, "changed_item": "01", "changed_on": "20200101", "before": "旧名", "after": "新名"},
    "legal_entity.branch": {"uscc": FIRM, "parent_key": FIRM_KEY, "branch_kind": "1", "opened_on": "20100101"},
    "legal_entity.officer": {"uscc": FIRM, "person_key": KEY, "officer_role": "01", "appointed_on": "20100101"},
    "legal_entity.shareholder": {
        "uscc": FIRM, "shareholder_kind": "1", "holder_key": KEY, "share_ratio": "60.5", "subscribed": "60.5",
    },
    "legal_entity.qualification": {
        "uscc": FIRM, "qualification_name": "建筑业企业资质", "qualification_number": "D232000001", "qualification_state": "1",
        "valid_from": "20200101", "valid_to": "20300101",
    },
    "legal_entity.annual_report": {
        "uscc": FIRM, "report_year": "2023", "report_state": "1", "submitted_on": "20240501", "employee_count": "12",
    },
    "legal_entity.tax_registration": {"uscc": FIRM, "tax_number": FIRM, "tax_state": "1", "registered_on": "20100201"},
    "legal_entity.insurance_registration": {
        "uscc": FIRM, "insurance_number": "32010012345", "insurance_state": "1", "insured_count": "10", "registered_on": "20100301",
    },
    "legal_entity.legacy_identifier": {"uscc": FIRM, "legacy_kind": "1", "legacy_number": "320100000012345"},
    "legal_entity.succession": {"uscc": FIRM, "successor_key": FIRM_KEY, "succession_kind": "1", "effective_on": "20210101"},
}  # fmt: skip


def collect(
    dataset: Dataset | str,
    rows: Sequence[Row],
    *,
    department: Department,
    collector: str = "",
    source: str = "",
    is_lead: bool = True,
    gone: bool = False,
    since: datetime | None = None,
    ring: KeyRing = RING,
    key: str = "",
) -> tuple[Counts, list[str]]:
    """Take rows in from a source of a department; return the counts and the rules of the rejected, in order.

    With `key` they are versions of the one row the source knows by it.
    """
    known = DATASETS[dataset] if isinstance(dataset, str) else dataset
    code = source or f"{known.code}.{department.pk}"
    from_source, _is_new = DataSource.objects.get_or_create(
        code=code,
        defaults={
            "title": code, "dataset": known.code, "department": department, "is_lead": is_lead,
            "collector": collector or str(known.field(known.key_field).source),
        },
    )  # fmt: skip
    fields = tuple(name for name in known.field_names if any(row.get(name) for row in rows))
    job = Intake(
        dataset=known, source=from_source, fields=fields, run_id=next(_TABLES), subject_key=ring.subject_key,
        rejects=RejectSink("INSERT INTO fact_rejects SELECT number, rule, raw FROM rejected", ()), today=date(2026, 1, 1),
        now=timezone.now(),
    )  # fmt: skip
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "DROP TABLE IF EXISTS fact_rejects; CREATE TEMP TABLE fact_rejects (number bigint, rule text, raw jsonb)"
            )
        begin = since.isoformat() if since else None
        raw: list[Any] = [
            RawRow(number, tuple(row.get(name) for name in fields), source_key=key, gone=gone, valid_from=begin)
            for number, row in enumerate(rows, 1)
        ]
        counts = ingest.merge(job, ingest.stage(job, f"facts_{next(_TABLES)}", raw))
        with connection.cursor() as cursor:
            cursor.execute("SELECT rule FROM fact_rejects ORDER BY number")
            return counts, [rule for (rule,) in cursor.fetchall()]
