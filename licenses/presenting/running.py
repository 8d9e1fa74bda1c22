"""How a statement of presenting is run (语句执行): by the calls' own connection, or here within a transaction of Django.

Both doors run the same text; `<<name>>` marks are typed parameters. Nothing is decided here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from django.db import connection

JSONB: Final = 3802  # the type's number in every PostgreSQL
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
        if not cursor.description:
            return []
        parsed = {place for place, column in enumerate(cursor.description) if column[1] == JSONB}  # Django leaves it a text
        return [tuple(_value(value, place in parsed) for place, value in enumerate(row)) for row in cursor.fetchall()]


def _value(value: Any, is_json: bool) -> Any:
    return json.loads(value) if is_json and isinstance(value, str) else value
