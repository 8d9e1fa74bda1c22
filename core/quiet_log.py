"""What a log may say of a database error: its type and its code. Never its message, which quotes whole rows (DETAIL, CONTEXT).

The formatter stands in every handler of the settings, Celery's processes included; nothing else writes our logs.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import django.db
import psycopg2

WITHHELD = "[withheld: database error]"
TOLD_BY_THE_DATABASE = re.compile(
    r"(?:DETAIL|CONTEXT|HINT):"
    r"|^(?:psycopg2|django\.db)[\w.]*: "
    r"|\b(?:Database|Data|Operational|Integrity|Internal|Programming|NotSupported|Interface)Error\(['\"]",
    re.MULTILINE,
)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Return an exception and everything it came from or stands for."""
    waiting, seen = [error], set()
    while waiting:
        current = waiting.pop()
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [current.__context__, current.__cause__, getattr(current, "exc", None)]
            waiting += getattr(current, "exceptions", ())


def comes_from_database(error: BaseException | None) -> bool:
    """Return whether a database error is in the chain: its text may have been copied into any of the others."""
    return any(isinstance(part, django.db.Error | psycopg2.Error) for part in chain(error))


def told(error: BaseException) -> str:
    """Return type and code of each exception of the chain."""
    return " <- ".join(_named(part) for part in chain(error))


def _named(error: BaseException) -> str:
    code = getattr(error, "pgcode", None) or getattr(error, "code", None)
    return f"{type(error).__qualname__}({code})" if isinstance(code, str) else type(error).__qualname__


class QuietFormatter(logging.Formatter):
    """Formats as usual; a database error is told by type and code, with the lines of code it passed."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; texts made of the error by others are left out."""
        error = record.exc_info[1] if record.exc_info else None
        texts = [str(part) for part in chain(error) if str(part)] if comes_from_database(error) else []
        copy = logging.makeLogRecord(record.__dict__)
        copy.exc_text = None
        copy.msg = _quiet(copy.msg, texts)
        if isinstance(copy.args, dict):
            copy.args = {
                name: WITHHELD if texts and name in ("exc", "traceback") else _quiet(value, texts)
                for name, value in copy.args.items()
            }
        elif copy.args:
            copy.args = tuple(_quiet(value, texts) for value in copy.args)
        copy.msg, copy.args = _cut(str(_quiet(copy.getMessage(), texts))), None
        return super().format(copy)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the library's name
        """Return the traceback, without any message when a database error is in the chain."""
        error: BaseException | None = ei[1]
        if error is None or not comes_from_database(error):
            return _cut(super().formatException(ei))
        where: TracebackType | None = ei[2] or error.__traceback__
        return "".join(traceback.format_tb(where)) + told(error)


def _quiet(value: Any, texts: list[str]) -> Any:
    if isinstance(value, BaseException) and comes_from_database(value):
        return told(value)
    is_told = isinstance(value, str) and any(text in value or repr(text)[1:-1] in value for text in texts)
    return WITHHELD if is_told else value


def _cut(text: str) -> str:
    """Return a text up to where it begins to say what the database said."""
    found = TOLD_BY_THE_DATABASE.search(text)
    return text[: found.start()] + WITHHELD if found else text
