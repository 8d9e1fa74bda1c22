"""Two people publish, draft or load at the same moment: one wins, the other is told, one version is in force."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from django.db import connection

from basedb.models import LicenseType
from core.errors import DomainError
from core.roles import Role
from licenses.models import TypeState, TypeVersion
from licenses.types import publishing
from licenses.types.publishing import today
from tests.factories import City, make_city, make_user
from tests.licenses.types_scene import load_shipped, published_type, submitted_type


@pytest.fixture
def committed(transactional_db: None) -> City:
    return make_city()


def together(*works: Callable[[], object]) -> list[str]:
    """Run each work on a connection of its own, all at once; return `done` or the code of the refusal."""
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> str:
        barrier.wait()
        try:
            work()
        except DomainError as error:
            return error.code
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return sorted(pool.map(run, works))


def test_two_heads_publish_the_same_version_once(committed: City, now: datetime) -> None:
    committed.people["second_head"] = make_user("second_head", committed.police, Role.HEAD)
    made = submitted_type(committed, now)
    heads = [committed.actor(name) for name in ("police_head", "second_head")]
    given = {"uid": made.uid, "revision": made.revision, "effective_from": today(now), "now": now}
    answers = together(*(lambda head=head: publishing.publish(**given, actor=head) for head in heads))  # type: ignore[misc]
    assert answers == ["done", "license_type.not_draft"]
    assert LicenseType.objects.filter(code=made.code).count() == 1
    assert TypeVersion.objects.get().revision == made.revision + 1


def test_two_operators_open_one_next_version(committed: City, now: datetime) -> None:
    first = published_type(committed, now)
    committed.people["second"] = make_user("second", committed.police, Role.OPERATOR)
    actors = [committed.actor(name) for name in ("police_operator", "second")]
    answers = together(*(lambda who=who: publishing.open_next(code=first.code, actor=who, now=now) for who in actors))  # type: ignore[misc]
    assert answers == ["done", "license_type.draft_open"]
    assert TypeVersion.objects.filter(state=TypeState.DRAFT).count() == 1


def test_two_loads_leave_every_type_once(committed: City, now: datetime) -> None:
    assert together(*[lambda: load_shipped(committed.centre, now)] * 2) == ["done", "done"]
    assert TypeVersion.objects.count() == 85
