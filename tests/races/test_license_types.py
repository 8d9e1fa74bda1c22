"""Two people publish, draft or load at the same moment: one wins, the other is told, one version is in force."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from basedb.models import LicenseType
from core.errors import DomainError
from core.roles import Role
from licenses.models import TypeState, TypeVersion
from licenses.types import publishing, standing
from licenses.types.facts import TypeFacts
from licenses.types.publishing import today
from tests.factories import City, make_city, make_user
from tests.licenses.types_scene import draft_type, load_shipped, published_type, some_facts, submitted_type


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


def test_a_new_code_waits_for_the_catalogue_before_it_locks_the_draft(committed: City, now: datetime) -> None:
    made = draft_type(committed, now)
    facts = replace(TypeFacts.of(made), code=some_facts().code)
    actor = committed.actor("police_operator")
    given = {"uid": made.uid, "revision": made.revision, "facts": facts, "actor": actor, "now": now}
    answers: list[str] = []
    recoding = Thread(target=lambda: answers.extend(together(lambda: publishing.revise(**given))))
    with transaction.atomic():
        standing.lock()
        recoding.start()
        while not waits_for_the_catalogue():
            recoding.join(0.02)
            assert recoding.is_alive()
        TypeVersion.objects.select_for_update(nowait=True).get()  # what a publication does next; the draft is free
    recoding.join()
    assert answers == ["done"]
    assert TypeVersion.objects.get().code == facts.code


def waits_for_the_catalogue() -> bool:
    """Whether some transaction of this database waits for the lock of the type catalogue."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        return bool(cursor.fetchone()[0])
