"""What the log says of database errors: type and code; never a row. All people here are synthetic."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from io import StringIO

import pytest
from celery import Celery
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.module_loading import import_string

from core.errors import Unavailable
from openapi.errors import handle
from settings.celery import log_like_the_others

NAME = "甲乙丙"
CITIZEN = "990101199001011237"


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the handler of the settings writes of everything."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    told = dict(settings.LOGGING["formatters"]["line"])
    handler.setFormatter(import_string(told.pop("()"))(told["format"]))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def collide() -> None:
    """Raise the error whose DETAIL quotes a whole row."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE probe (id text UNIQUE, name text NOT NULL) ON COMMIT DROP")
        cursor.execute("INSERT INTO probe VALUES (%s, NULL)", [f"{CITIZEN} {NAME}"])


def error_of(kind: str) -> Exception:
    try:
        try:
            collide()
        except IntegrityError as error:
            if kind == "plain":
                raise
            if kind == "cause":
                raise RuntimeError(f"while storing: {error}") from error
            raise Unavailable("store.away", str(error))  # noqa: B904 - the context is meant
    except Exception as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("kind", ["plain", "cause", "context"])
def test_database_error_is_told_by_type_and_code(db: None, log: StringIO, kind: str) -> None:
    error = error_of(kind)
    logger = logging.getLogger("probe")
    logger.error("it failed", exc_info=error)
    logger.error("it failed: %s", error)
    logger.error(error)
    logger.error("it failed: %s", str(error), exc_info=error)
    logger.error(f"it failed: {error!r}", exc_info=error)
    handle(error, {})
    said = log.getvalue()
    assert "IntegrityError" in said
    assert "23502" in said
    assert "test_quiet_log.py" in said
    assert NAME not in said
    assert CITIZEN not in said


def test_texts_made_of_a_database_error_are_withheld(db: None, log: StringIO) -> None:
    logging.getLogger("probe").error("it failed: %s", repr(error_of("plain")))
    assert "it failed" in log.getvalue()
    assert NAME not in log.getvalue()


def test_failed_task_is_logged_without_the_row(db: None, log: StringIO) -> None:
    app = Celery("probe", set_as_current=False)
    app.conf.update(task_store_eager_result=False)
    app.task(name="probe.collide")(collide)
    app.tasks["probe.collide"].apply(throw=False)
    said = log.getvalue()
    assert "probe.collide" in said
    assert "23502" in said
    assert NAME not in said


def test_other_errors_are_told_whole(log: StringIO) -> None:
    try:
        raise ValueError("seven is not eight")
    except ValueError:
        logging.getLogger("probe").exception("it failed")
    assert "ValueError: seven is not eight" in log.getvalue()


def test_celery_gets_our_handlers_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", list(logging.getLogger().handlers))
    log_like_the_others(loglevel=logging.INFO)
    handlers = [handler for name in (None, "celery", "celery.task", "django") for handler in logging.getLogger(name).handlers]
    assert [type(handler.formatter).__name__ for handler in handlers if handler.formatter] == ["QuietFormatter"]
