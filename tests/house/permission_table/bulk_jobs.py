"""Bulk jobs on the police bureau's data: seen by both sides and the overseers; opened by systems alone."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.utils import timezone

from core.ids import uuid7
from exchange.models import BulkJob, BulkPart
from tests import factories
from tests.house.table import Row, everyone, only

SEERS = ("operator", "head", "reviewer", "auditor")
NIL = "00000000-0000-7000-8000-000000000000"


def things(city: factories.City) -> dict[str, str]:
    """Return a grant with a job that is ready."""
    now = timezone.now()
    resource = factories.make_resource(city.police)
    grant = factories.make_grant(resource, factories.make_system(city.education), city.people["education_operator"], mode="BULK")
    job = BulkJob.objects.create(
        grant=grant,
        credential_id=1,
        opened_call_id=uuid7(),
        grant_version=1,
        terms_digest=hashlib.sha256().digest(),
        fields=["name"],
        format="csv",
        rows_a_part=10,
        state="READY",
        expected_count=1,
        row_count=1,
        part_count=1,
        opened_at=now,
        expires_at=now + timedelta(hours=72),
    )
    digest = hashlib.sha256().digest()
    BulkPart.objects.create(
        job=job, number=1, row_count=1, byte_count=1, sha256=digest, sm3=digest, mark=f"rm{job.pk:024x}", as_of=now, written_at=now
    )
    return {"bulk_grant": str(grant.uid), "bulk_job": str(job.uid), "nobodys": NIL, "first": "1"}


JOB = {"uid": "bulk_job"}
CALLED = {"uid": "nobodys", "job": "nobodys"}

ROWS: list[Row] = [
    ("GET", "portal:bulk-list", {"uid": "bulk_grant"}, only(200, *SEERS)),
    ("GET", "portal:bulk-detail", JOB, only(200, *SEERS)),
    ("GET", "portal:bulk-progress", JOB, only(200, *SEERS)),
    ("POST", "portal:bulk-cancel", JOB, only(302, "operator", "head", "reviewer")),
    ("POST", "openapi:call-jobs", {"uid": "nobodys"}, everyone(401)),
    ("GET", "openapi:call-job", CALLED, everyone(401)),
    ("DELETE", "openapi:call-job", CALLED, everyone(401)),
    ("GET", "openapi:call-part", CALLED | {"number": "first"}, everyone(401)),
    ("POST", "openapi:call-subscribe", {"uid": "nobodys"}, everyone(401)),
]
