"""How a statement of presenting is run (语句执行): by the calls' own connection, or here within a transaction of Django.

Both doors run the same text; `<<name>>` marks are typed parameters. Nothing is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from django.db import connection

MARK: Final = re.compile("<<([a-z0-9_]+)>>")

Parameters = tuple[tuple[str, str], ...]
Row = tuple[Any, ...]


class Run(Protocol):
    """Runs one statement, a transaction of its own or part of one, and returns its rows."""

    def __call__(self, template: str, parameters: Parameters, values: Mapping[str, Any], /) -> list[Row]:
        """Return the rows."""


def through_django(template: str, parameters: Parameters, values: Mapping[str, Any], /) -> list[Row]:
    """Run a statement on Django's connection."""
    kinds = dict(parameters)
    sql = MARK.sub(lambda mark: f"%({mark[1]})s::{kinds[mark[1]]}", template)
    with connection.cursor() as cursor:
        cursor.execute(sql, dict(values))
        return list(cursor.fetchall()) if cursor.description else []
