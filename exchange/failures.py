"""What may be told of an unexpected failure (故障): its kind and its place, never a row.

A database error quotes the row it stumbled over, with names and numbers of people; neither log nor page may repeat it.
"""

from __future__ import annotations

import traceback

import psycopg2
from django.db import DatabaseError, connection

DATABASE_ERRORS = (DatabaseError, psycopg2.Error)


def told_of(error: BaseException) -> str:
    """Return the kind of an error, PostgreSQL's code for it, and where in the code it was raised."""
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-4:]]
    return f"{type(error).__name__} {code_of(error)} at {' > '.join(places)}"


def forget_broken_connection() -> None:
    """Close a connection that no longer answers, so that the outcome can be written over a new one."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def code_of(error: BaseException) -> str:
    """Return PostgreSQL's code of an error, `-` when it has none."""
    return getattr(error, "pgcode", None) or getattr(error.__cause__, "pgcode", None) or "-"
