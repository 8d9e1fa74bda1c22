"""Lets a test evaluate an SQL expression over many texts at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

Evaluate = Callable[[str, list[str | None]], list[Any]]


@pytest.fixture
def evaluate(db: None) -> Evaluate:
    """Return a function: the value of an expression over column `v` for every given text, in order."""

    def run(expression: str, values: list[str | None]) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {expression} FROM unnest(%s::text[]) WITH ORDINALITY AS given(v, place) ORDER BY place",
                [values],
            )
            return [row[0] for row in cursor.fetchall()]

    return run
