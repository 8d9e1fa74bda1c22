"""Parts of a copy (分段复制): all rows of a selection in the order of their row keys, cut where one part ends.

The rows, columns and masks are limited as everywhere in `lookup`. COPY takes no parameters: bounds stand in it as literals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from basedb.dictionary import DATASETS
from basedb.lookup import ROW, Selection, shown_columns_sql
from basedb.sql_text import quote

MARK: Final = "_receiver_mark"  # no item can be named so: their names begin with a letter
CSV: Final = "FORMAT csv, HEADER, ENCODING 'UTF8'"
# JSON holds none of these control characters, so that every line is written as it is.
JSON_LINES: Final = r"FORMAT csv, DELIMITER E'\x02', QUOTE E'\x01', ENCODING 'UTF8'"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a selection that lie `inside` - a condition over `found` - with a mark on each."""

    selection: Selection
    inside: str

    @property
    def _table(self) -> str:
        return f"{DATASETS[self.selection.dataset].table} {ROW}"

    @property
    def _key(self) -> str:
        return f"{ROW}.{DATASETS[self.selection.dataset].row_key}"

    def count_sql(self, at_most: str) -> str:
        """The number of the rows, counted no further than `at_most`."""
        return f"SELECT count(*) FROM (SELECT 1 FROM {self._table} WHERE {self.inside} LIMIT {at_most}) AS counted"

    def end_sql(self, after: bytes, size: int) -> str:
        """The key of the last row of a part of `size` rows behind `after`; no row when fewer are left."""
        return (
            f"SELECT {self._key} FROM {self._table} WHERE {self.inside} AND {self._key} > {_literal(after)} "
            f"ORDER BY {self._key} OFFSET {size - 1:d} LIMIT 1"
        )

    def rows_sql(self, after: bytes, upto: bytes | None, mark: str) -> str:
        """The rows behind `after` up to and including `upto`, None being the end, in the order of their keys."""
        end = f" AND {self._key} <= {_literal(upto)}" if upto is not None else ""
        return (
            f'SELECT {shown_columns_sql(self.selection)}, {quote(mark)} AS "{MARK}" FROM {self._table} '
            f"WHERE {self.inside} AND {self._key} > {_literal(after)}{end} ORDER BY {self._key}"
        )

    def csv_sql(self, after: bytes, upto: bytes | None, mark: str) -> str:
        """A COPY of those rows as CSV with a header line."""
        return f"COPY ({self.rows_sql(after, upto, mark)}) TO STDOUT WITH ({CSV})"

    def json_lines_sql(self, after: bytes, upto: bytes | None, mark: str) -> str:
        """A COPY of those rows, one JSON object a line."""
        return f"COPY (SELECT row_to_json(r)::text FROM ({self.rows_sql(after, upto, mark)}) r) TO STDOUT WITH ({JSON_LINES})"


def _literal(key: bytes) -> str:
    return rf"'\x{key.hex()}'::bytea"
