"""Stored credit records and licenses for tests, made without the pipeline."""

from __future__ import annotations

import hashlib
from itertools import count
from typing import Any

from basedb.credit.records import KINDS
from basedb.dictionary import DATASETS
from basedb.dictionary.contract import DataType
from basedb.models import License
from core.models import Department
from tests.basedb.credit_rows import good_row

_numbers = count(1)


def key_of(subject_code: str) -> bytes:
    return hashlib.sha256(subject_code.encode()).digest()[:16]


def _values(dataset: str, given: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = dict(good_row(dataset, **given))
    for field in DATASETS[dataset].fields:
        value = row[field.name]
        if field.data_type is DataType.DATE and isinstance(value, str):
            row[field.name] = f"{value[:4]}-{value[4:6]}-{value[6:]}"
        elif field.data_type is DataType.OBJECT:
            row[field.name] = {"经营范围": "软件"} if value else None
    return row


def make_fact(dataset: str, department: Department, **given: Any) -> Any:
    """Return a stored row; what is not given is a good row's."""
    number = next(_numbers)
    given.setdefault("number" if dataset == "license.license" else "document_number", f"宁〔2025〕{number}号")
    model = License if dataset == "license.license" else KINDS[dataset]
    withdrawn_at = given.pop("withdrawn_at", None)
    row = _values(dataset, given)
    made = model._default_manager.create(
        subject_key=key_of(row[DATASETS[dataset].key_field]),
        source_department=department,
        source_record_id=number,
        run_id=1,
        row_key=hashlib.sha256(f"row {number}".encode()).digest()[:16],
        withdrawn_at=withdrawn_at,
        **row,
    )
    made.refresh_from_db()
    return made
