"""The public-security bureau's own table, filled and changed past the platform, and what must have come of it.

The people of this test carry numbers with the prefix 990130, which neither GB/T 2260 nor the demo uses.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from basedb.identifiers import generate_citizen_id
from demo.flows import POPULATION_PLAN
from demo.sources import CURSOR_COLUMN, KEY_COLUMN, SOURCE_TABLE
from tests.kills.whole_stack import WholeStack

PREFIX = "990130"
HERE, ELSEWHERE = "320102002000", "320104002000"
BROKEN_EVERY = 100
FIRST_BIRTHDAY = date(1950, 1, 1)
BUREAU: dict[str, str] = {"name": "public_security", "user": "ps_owner"}
COLUMNS = "id_number, full_name, sex, birth_on, status_code, household_division, address"
# What is compared, in the bureau's columns and in ours.
THEIRS = "id_number, full_name, household_division, address"
OURS = "citizen_id, name, region_code, address"


def digest_sql(columns: str, table: str, where: str) -> str:
    """Return the question for number and digest of rows, whatever their order."""
    return (
        f"SELECT count(*), coalesce(md5(string_agg(line, '' ORDER BY line COLLATE \"C\")), '') "
        f"FROM (SELECT md5(row({columns})::text) AS line FROM {table} WHERE {where}) lines"
    )


class Bureau:
    """The bureau's table and the plan that aggregates it."""

    def __init__(self, stack: WholeStack, seed: int) -> None:
        self.stack = stack
        self.random = random.Random(seed)
        self.plan_id = stack.one("SELECT id FROM exchange_aggregationplan WHERE title = %s", [POPULATION_PLAN])

    def enter(self, count: int) -> None:
        """Enter so many people, one in a hundred without a name; half of them live in the district that gets its rows back."""
        text = io.StringIO("".join(_lines(count)))
        with self.stack.database(**BUREAU) as cursor:
            cursor.copy_expert(f"COPY {SOURCE_TABLE} ({COLUMNS}, {CURSOR_COLUMN}) FROM STDIN", text)

    def move_some(self, count: int) -> None:
        """Let some people move within the city and others change their address; carried out twice it does the same."""
        offset = self.random.randrange(7, 97)
        self.stack.change_surely(
            f"UPDATE {SOURCE_TABLE} SET address = '迁居路' || %(offset)s || '号', updated_at = clock_timestamp(), "
            f"household_division = CASE WHEN {KEY_COLUMN} %% 2 = 0 THEN %(here)s ELSE %(elsewhere)s END "
            f"WHERE {KEY_COLUMN} IN (SELECT {KEY_COLUMN} FROM {SOURCE_TABLE} WHERE id_number LIKE %(mine)s "
            f"AND {KEY_COLUMN} %% 97 < %(offset)s ORDER BY {KEY_COLUMN} LIMIT %(count)s)",
            {"offset": offset, "here": HERE, "elsewhere": ELSEWHERE, "mine": f"{PREFIX}%", "count": count},
            **BUREAU,
        )

    def start_run(self, *, batch_size: int, from_the_start: bool = False) -> None:
        """Make the plan due; beat finds it within seconds, as on any day."""
        self.stack.change_surely(
            "UPDATE exchange_aggregationplan SET next_run_at = now(), every_minutes = 1440, batch_size = %s, "
            "checkpoint = CASE WHEN %s THEN '{}'::jsonb ELSE checkpoint END WHERE id = %s",
            [batch_size, from_the_start, self.plan_id],
        )

    def is_idle(self) -> bool:
        """Whether no run of the plan is due, queued or running."""
        due = "SELECT next_run_at <= now() FROM exchange_aggregationplan WHERE id = %s"
        active = "SELECT count(*) FROM exchange_aggregationrun WHERE plan_id = %s AND state IN ('QUEUED', 'RUNNING')"
        return not self.stack.one(due, [self.plan_id]) and self.stack.one(active, [self.plan_id]) == 0

    def progress(self) -> int:
        """Return how many batches were ever committed."""
        return int(self.stack.one("SELECT count(*) FROM exchange_aggregationbatch"))

    def runs(self) -> list[int]:
        """Return the runs of the plan in their order."""
        return [
            run
            for (run,) in self.stack.rows("SELECT id FROM exchange_aggregationrun WHERE plan_id = %s ORDER BY id", [self.plan_id])
        ]

    def state_of(self, run: int) -> str:
        return str(self.stack.one("SELECT state FROM exchange_aggregationrun WHERE id = %s", [run]))

    def read_by(self, run: int) -> int:
        return int(self.stack.one("SELECT read_count FROM exchange_aggregationrun WHERE id = %s", [run]))

    def count(self) -> int:
        """Return how many rows the table holds."""
        return int(self.stack.one(f"SELECT count(*) FROM {SOURCE_TABLE}", **BUREAU))

    def wanted(self, division: str = "") -> tuple[Any, ...]:
        """Return number and digest of the good rows of these people, those of a division alone when it is named."""
        where = f"id_number LIKE '{PREFIX}%' AND full_name <> '' AND household_division LIKE '{division}%'"
        return self.stack.rows(digest_sql(THEIRS, SOURCE_TABLE, where), **BUREAU)[0]

    def arrived(self) -> tuple[Any, ...]:
        """Return number and digest of these people's rows in the population table."""
        return self.stack.rows(digest_sql(OURS, "basedb_person", f"citizen_id LIKE '{PREFIX}%'"))[0]


def _lines(count: int) -> Iterator[str]:
    for number in range(count):
        born = FIRST_BIRTHDAY + timedelta(days=number // 500)
        citizen_id = generate_citizen_id(PREFIX, born, number % 500)
        name = "" if number % BROKEN_EVERY == 0 else f"演示{chr(0x4E00 + number % 20_000)}"
        sex = "1" if number % 2 else "2"
        division = HERE if number % 2 else ELSEWHERE
        yield f"{citizen_id}\t{name}\t{sex}\t{born:%Y%m%d}\t0\t{division}\t演示路{number}号\tnow\n"
