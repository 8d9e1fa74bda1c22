"""Quality: everybody in business and the auditor read scores; rules and checks are the reviewer's, tasks their department's."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from basedb.models import QualityCheck, QualityRule, QualityTask
from tests.house.table import Row, only

SEERS = ("operator", "head", "reviewer", "auditor")
BUSINESS = ("operator", "head", "reviewer")
ROWS: list[Row] = [
    ("GET", "portal:quality-overview", {}, only(200, *SEERS)),
    ("GET", "portal:quality-check-list", {}, only(200, *SEERS)),
    ("POST", "portal:quality-check-start", {}, only(302, "reviewer")),
    ("GET", "portal:quality-check", {"uid": "check"}, only(200, *SEERS)),
    ("GET", "portal:quality-rule-list", {}, only(200, *SEERS)),
    ("GET", "portal:quality-rule-new", {}, only(200, "reviewer")),
    ("POST", "portal:quality-rule-new", {}, only(422, "reviewer")),
    ("GET", "portal:quality-rule-change", {"uid": "rule"}, only(200, "reviewer")),
    ("POST", "portal:quality-rule-change", {"uid": "rule"}, only(422, "reviewer")),
    ("GET", "portal:quality-task-list", {}, only(200, *BUSINESS)),
    ("GET", "portal:quality-task-detail", {"uid": "task"}, only(200, *BUSINESS)),
    ("POST", "portal:quality-task-detail", {"uid": "task"}, only(422, *BUSINESS)),
    ("GET", "portal:quality-task-rows", {"uid": "task"}, only(200, *BUSINESS)),
    ("GET", "portal:quality-task-detail", {"uid": "others"}, only(200, "reviewer") | {"operator": 404, "head": 404}),
    ("GET", "openapi:quality-scores", {}, only(200, *SEERS, anonymous=401)),
    ("GET", "openapi:quality-checks", {}, only(200, *SEERS, anonymous=401)),
    ("POST", "openapi:quality-checks", {}, only(422, "reviewer", anonymous=401)),
    ("GET", "openapi:quality-check", {"uid": "check"}, only(200, *SEERS, anonymous=401)),
    ("GET", "openapi:quality-tasks", {}, only(200, *BUSINESS, anonymous=401)),
    ("GET", "openapi:quality-rules", {}, only(200, *SEERS, anonymous=401)),
]


def things(city: Any) -> dict[str, str]:
    """Return a check, a rule, a task of the police bureau and one of another department."""
    now, dataset = timezone.now(), "population.person"
    rule = QualityRule.objects.create(
        dataset=dataset, code="name.required", title="姓名不为空", dimension="COMPLETENESS", kind="REQUIRED", field="name"
    )
    check = QualityCheck.objects.create(dataset=dataset, queued_at=now, state="DONE", finished_at=now)
    tasks = [
        QualityTask.objects.create(
            dataset=dataset,
            rule_code=rule.code,
            title=rule.title,
            dimension=rule.dimension,
            department=department,
            opened_at=now,
            due_at=now,
            open_count=1,
        )
        for department in (city.police, city.education)
    ]
    return {"rule": str(rule.uid), "check": str(check.uid), "task": str(tasks[0].uid), "others": str(tasks[1].uid)}
