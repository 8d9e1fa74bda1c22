"""Whom a conflict or a decision is about, in words (主体指称): name and identifier, masked for those who need not know them."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from basedb.dictionary import DATASETS
from basedb.fusion.survivorship import NAME
from basedb.masking import mask_value


def named(dataset: str, keys: Collection[bytes], *, is_plain: bool) -> dict[bytes, str]:
    """Return what the entities of these keys are called; those without a golden row are left out."""
    known = DATASETS[dataset]
    fields = [known.field(name) for name in (NAME, known.key_field) if name in known.field_names]
    columns = ", ".join(field.name for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT subject_key, {columns} FROM {known.table} WHERE subject_key = ANY (%s)", [list(keys)])
        rows = cursor.fetchall()
    return {
        bytes(key): " ".join(
            (value if is_plain else mask_value(field.mask, value)) or "" for field, value in zip(fields, values, strict=True)
        )
        for key, *values in rows
    }
