"""From the bases to the dossiers (入库之后): quality of every dataset, figures of divisions, verification, themes, dossiers read.

Checks and refreshes are queued as the platform queues them and carried out by the crew; what is one statement is done here.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from basedb.geography import figures
from basedb.legal_entity import verification
from basedb.models import (
    CheckState,
    QualityCheck,
    QualityResult,
    RefreshState,
    ThematicRefresh,
    ThematicRow,
)
from basedb.quality import asking, rulebook
from basedb.thematic import definitions, refreshing
from basedb.thematic.shipped import shipped
from core.audit import Actor
from core.calendar import today_in_shanghai
from core.models import Department, User
from core.roles import Role
from demo.city_scale.run import Say, Step
from exchange.dossiers.reading import read_dossier
from exchange.dossiers.rights import DossierKind, Purpose, Reason
from exchange.systems import key_ring

DOSSIERS = 200
PAUSE = 0.5


def carry_on(say: Say) -> list[Step]:
    """Do all that follows the taking in, while a crew is at work; return the steps."""
    steps: list[Step] = []
    for name, work in (
        ("quality", _check_quality),
        ("divisions", _count_divisions),
        ("verification", _verify),
        ("themes", _refresh_themes),
        ("dossiers of people", lambda: _read_dossiers(DossierKind.PERSON)),
        ("dossiers of entities", lambda: _read_dossiers(DossierKind.ENTERPRISE)),
    ):
        started = time.monotonic()
        count, found = work()
        steps.append(Step(name, time.monotonic() - started, count, found))
        say(steps[-1].line())
    return steps


def _check_quality() -> tuple[int, str]:
    """Check every dataset by its standard rules; counted is what a rule looked at in a row."""
    rules = rulebook.load_standard_rules(now=timezone.now())
    asking.ask_for_all(now=timezone.now())
    _wait(QualityCheck.objects.filter(state__in=(CheckState.QUEUED, CheckState.RUNNING)))
    done = QualityCheck.objects.filter(state=CheckState.DONE).count()
    broken = QualityCheck.objects.exclude(state=CheckState.DONE).count()
    totals = QualityResult.objects.aggregate(checked=Sum("checked"), failed=Sum("failed"))
    errors = QualityResult.objects.exclude(error="").count()
    found = f"{done} datasets, {rules} rules, {totals['failed'] or 0:,} failed, {errors} rules in error, {broken} checks failed"
    return int(totals["checked"] or 0), found


def _count_divisions() -> tuple[int, str]:
    return figures.recount(now=timezone.now()), ""


def _verify() -> tuple[int, str]:
    today = today_in_shanghai(timezone.now())
    return verification.verify_entities(keys=None, subject_key=key_ring().subject_key, today=today), ""


def _refresh_themes() -> tuple[int, str]:
    """Have the shipped definitions drafted by one department and approved by the data centre, then refreshed."""
    now = timezone.now()
    drafter, reviewer = _person("city_drafter", "市民政局", Role.OPERATOR), reviewer_of_the_centre()
    for draft in shipped().values():
        definitions.approve(uid=definitions.propose(draft=draft, actor=drafter, now=now).uid, actor=reviewer, now=now)
    refreshing.queue_due(now=now)
    _wait(ThematicRefresh.objects.filter(state__in=refreshing.UNFINISHED))
    failed = ThematicRefresh.objects.filter(state=RefreshState.FAILED).count()
    return ThematicRow.objects.filter(left_at=None).count(), f"{failed} refreshes failed" if failed else ""


def reviewer_of_the_centre() -> Actor:
    """Return a reviewer of the data centre."""
    return _person("city_reviewer", "市大数据管理中心", Role.REVIEWER, is_data_centre=True)


def _person(username: str, department: str, role: Role, *, is_data_centre: bool = False) -> Actor:
    owner = Department.objects.get(name=department)
    user, _made = User.objects.get_or_create(username=username, defaults={"display_name": username, "department": owner})
    return Actor(
        user.display_name,
        user_id=user.pk,
        department_id=owner.pk,
        department=owner.name,
        roles=frozenset([role]),
        is_data_centre=is_data_centre,
    )


def _read_dossiers(kind: DossierKind) -> tuple[int, str]:
    """Read dossiers one after another; told are the median and the slowest twentieth."""
    actor, seconds = reviewer_of_the_centre(), []
    for key in keys_of(kind, DOSSIERS):
        started = time.perf_counter()
        read_one(kind, key, actor)
        seconds.append(time.perf_counter() - started)
    seconds.sort()
    if not seconds:
        return 0, ""
    return len(seconds), f"p50 {seconds[len(seconds) // 2] * 1000:.1f} ms, p95 {seconds[len(seconds) * 95 // 100] * 1000:.1f} ms"


def read_one(kind: DossierKind, key: bytes, actor: Actor) -> None:
    """Read one dossier; there must be something in it."""
    purpose = Purpose(Reason.SUPERVISION, "全市规模演示")
    dossier = read_dossier(kind=kind, entity_key=key, actor=actor, purpose=purpose, now=timezone.now())
    if not dossier.is_known:
        raise RuntimeError(f"an empty dossier: {kind}")


def keys_of(kind: DossierKind, count: int) -> list[bytes]:
    """Return the first keys: keyed digests, so they are drawn from everywhere."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT subject_key FROM {kind.master.table} WHERE withdrawn_at IS NULL ORDER BY subject_key LIMIT %s", [count]
        )
        return [bytes(key) for (key,) in cursor.fetchall()]


def _wait(open_ones: QuerySet[Any]) -> None:
    while open_ones.exists():
        time.sleep(PAUSE)
