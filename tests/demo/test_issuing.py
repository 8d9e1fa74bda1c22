"""The demo leaves something on every page of the issuing desk."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core.models import Department
from demo import city
from demo.licenses import issuing, offices
from demo.licenses import types as license_types
from licenses.models import IssuingBatch, IssuingDraft, License, TypeOffice
from licenses.sealing import keys
from tests.licenses.issuing_scene import make_company, make_person


@pytest.mark.django_db
def test_no_page_of_the_issuing_desk_is_empty(settings: Any, tmp_path: Path, now: datetime) -> None:
    settings.LICENSE_FILES_DIR = tmp_path / "files"
    settings.LICENSE_FILES_DIR.mkdir()
    keys.prepare(now=now)
    city.load_divisions()
    departments = city.load_departments()
    city.load_accounts(departments, {})
    license_types.load(departments, now)
    office = Department.objects.get(name=city.MARKET)
    for place in range(16):
        make_company(office, region_code="320104" if place % 4 == 3 else "320102")
    make_company(office, registration_state="4")
    for _ in range(5):
        make_person(office)
    make_person(office, person_status="9")
    assert issuing.issue(now) == issuing.issue(now) == License.objects.count()
    assert {"TO_SIGN", "RETURNED", "ISSUED", "DRAFT"} == set(IssuingDraft.objects.values_list("state", flat=True))
    assert set(IssuingBatch.objects.values_list("state", flat=True)) == {"DONE", "TO_SIGN"}
    assert IssuingBatch.objects.filter(refused_count=1).count() == 1
    assert {"01", "02", "04", "05", "07"} <= set(License.objects.values_list("state", flat=True))
    assert offices.issue(departments, now) == offices.issue(departments, now)
    assert TypeOffice.objects.filter(effective=None).count() == 1
    issuers = License.objects.filter(type_code=license_types.FOOD).values_list("issuer_name", flat=True)
    assert {"市市场监督管理局", "玄武区市场监督管理局", "秦淮区市场监督管理局"} == set(issuers)
