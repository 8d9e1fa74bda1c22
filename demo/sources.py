"""What stands outside the platform in the demo: the bureau's own database, the exchange node's folder, the district's database.

All three are other people's systems; here a second and a third database of the demo cluster and a folder stand in for them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2

from demo.people import PersonRow

SOURCE_TABLE = "resident"
# The bureau names its columns its own way; the plan maps them. Field of the contract -> column of the bureau.
SOURCE_COLUMNS = {name: name for name in PersonRow._fields} | {
    "citizen_id": "id_number",
    "name": "full_name",
    "person_status": "status_code",
    "region_code": "household_division",
}
KEY_COLUMN = "row_id"
CURSOR_COLUMN = "updated_at"
DROP_FOLDER = "market_regulation"
DISTRICT_TABLE = "own_residents"


def fill_bureau(owner_url: str, reader: str, rows: Sequence[PersonRow]) -> bool:
    """Create and fill the bureau's table unless it is there; return whether it was filled now."""
    with closing(psycopg2.connect(owner_url)) as source, source, source.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [SOURCE_TABLE])
        if cursor.fetchone() != (None,):
            return False
        columns = ", ".join(f"{SOURCE_COLUMNS[name]} text" for name in PersonRow._fields)
        cursor.execute(
            f"CREATE TABLE {SOURCE_TABLE} (row_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {columns}, "
            f"{CURSOR_COLUMN} timestamptz NOT NULL)"
        )
        names = ", ".join(SOURCE_COLUMNS[name] for name in PersonRow._fields)
        cursor.copy_expert(f"COPY {SOURCE_TABLE} ({names}, {CURSOR_COLUMN}) FROM STDIN", _copy_lines(rows))
        cursor.execute(f"CREATE INDEX ON {SOURCE_TABLE} ({CURSOR_COLUMN})")
        cursor.execute(f"GRANT SELECT ON {SOURCE_TABLE} TO {reader}")
        cursor.execute(f"ANALYZE {SOURCE_TABLE}")
    return True


def exchange_node_folder(drop_dir: Path) -> Path:
    """Return the market-regulation bureau's folder on the exchange node, made if need be."""
    folder = drop_dir / DROP_FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _copy_lines(rows: Sequence[PersonRow]) -> io.StringIO:
    """Return the rows in COPY's text format, changed one after another during the last month, the last an hour ago."""
    last = datetime.now(tz=UTC) - timedelta(hours=1)
    step = timedelta(days=30) / max(len(rows), 1)
    buffer = io.StringIO()
    for back, row in zip(range(len(rows), 0, -1), rows, strict=True):
        values = [value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") if value else "\\N" for value in row]
        buffer.write("\t".join([*values, (last - step * back).isoformat()]) + "\n")
    buffer.seek(0)
    return buffer
