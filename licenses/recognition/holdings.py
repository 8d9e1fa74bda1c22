"""What we hold (持有汇总): licenses with an identifier by type and month of issue, counted and summed up to a digest; set-based.

The digest is a sum over the licenses of a line, so their order does not matter; the other side computes the same one.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from django.db import connection

LINES_AT_MOST: Final = 20_000
_HELD: Final = """
    SELECT DISTINCT l.type_code, to_char(l.issued_on, 'YYYY-MM') AS month, l.identifier, l.license_state AS state
    FROM basedb_license l WHERE l.region_code LIKE %s AND l.identifier IS NOT NULL AND l.withdrawn_at IS NULL"""


class Line(NamedTuple):
    """A type and month: how many licenses, and the digest of their identifiers and states."""

    type_code: str
    month: str
    held: int
    digest: str


def summary(region: str) -> list[Line]:
    """Return what we hold of a region."""
    code = "('x' || substr(md5(h.identifier || ':' || h.state), 1, 13))::bit(52)::bigint"
    sql = f"SELECT h.type_code, h.month, count(*), sum({code}::numeric)::text FROM ({_HELD}) h GROUP BY 1, 2 ORDER BY 1, 2 LIMIT %s"
    with connection.cursor() as cursor:
        cursor.execute(sql, [f"{prefix(region)}%", LINES_AT_MOST])
        return [Line(*row) for row in cursor.fetchall()]


def licenses(region: str, type_code: str, month: str) -> list[tuple[str, str]]:
    """Return identifier and state of the licenses of one line, at most so many, in an order every node has."""
    sql = f"""SELECT h.identifier, h.state FROM ({_HELD} AND l.type_code = %s) h WHERE h.month = %s
        ORDER BY h.identifier COLLATE "C", h.state LIMIT %s"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [f"{prefix(region)}%", type_code, month, LINES_AT_MOST])
        return [(identifier, state) for identifier, state in cursor.fetchall()]


def prefix(region: str) -> str:
    """Return the beginning of the codes of all that lies in a region; digits alone, so that nothing matches more than it says."""
    code = "".join(character for character in region if character.isascii() and character.isdigit())[:6]
    return code[:2] if code[2:] in ("", "0000") else code[:4] if code[4:] in ("", "00") else code
