"""What the platform is shipped with (随附数据): a catalogue of public credit information, tiers of repair, types of licenses.

Contents are to be checked against the official texts before use; later versions are loaded beside them. Loading twice changes
nothing. Called by migrations, so it takes the tables from `apps`.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

FOLDER = Path(__file__).parent.parent / "data"
LOADED_BY = "平台"


def read(name: str) -> Any:
    """Return one of the shipped files."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def load_catalog(apps: Any, _schema_editor: Any = None) -> None:
    """Load the shipped catalogue unless there is one."""
    versions, items = apps.get_model("basedb", "CreditCatalogVersion"), apps.get_model("basedb", "CreditCatalogItem")
    if versions.objects.exists():
        return
    given = read("credit_catalog")
    version = versions.objects.create(
        code=given["code"],
        title=given["title"],
        issued_by=given["issued_by"],
        effective=_from(given),
        loaded_at=timezone.now(),
        loaded_by_name=LOADED_BY,
    )
    items.objects.bulk_create(items(version=version, **item) for item in given["items"])


def load_tiers(apps: Any, _schema_editor: Any = None) -> None:
    """Load the shipped tiers unless there are some."""
    tiers = apps.get_model("basedb", "CreditTier")
    if not tiers.objects.exists():
        given = read("credit_tiers")
        tiers.objects.bulk_create(tiers(effective=_from(given), **tier) for tier in given["tiers"])


def load_license_types(apps: Any, _schema_editor: Any = None) -> None:
    """Load the shipped types of licenses unless there are some."""
    types = apps.get_model("basedb", "LicenseType")
    if not types.objects.exists():
        given = read("license_types")
        types.objects.bulk_create(types(effective=_from(given), **one) for one in given["types"])


def _from(given: Any) -> DateRange:
    return DateRange(date.fromisoformat(given["effective_from"]), None)
