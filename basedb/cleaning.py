"""Cleaning of raw text before it is checked (清洗): one standard writing a field, in Python and in SQL alike.

Cleaning never judges and never fails: what it cannot read it passes on, and the rules reject it with a reason.
Typed values for the final table come from `typed_sql`, which is safe only for rows no rule has rejected.
"""

from basedb.dictionary import DataType, Field, Writing
from basedb.identifiers import (
    citizen_id_normalized_sql,
    citizen_id_upgraded_sql,
    normalize_citizen_id,
    upgrade_citizen_id,
)
from basedb.sql_text import BLANKS, normalize_code, normalize_code_sql, quote

_DATE_MARKS = BLANKS + "-/.年月日"
_DATE_DROPPED = str.maketrans("", "", _DATE_MARKS)
_NUMBER_MARKS = BLANKS + ",，"
_NUMBER_DROPPED = str.maketrans("", "", _NUMBER_MARKS)


def clean(field: Field, raw: str | None) -> str | None:
    """Return the standard writing of one raw value; blank becomes None."""
    if raw is None:
        return None
    return _written(field.writing, raw) or None


def _written(writing: Writing, raw: str) -> str:
    match writing:
        case Writing.TEXT:
            return raw.strip(BLANKS)
        case Writing.CODE:
            return normalize_code(raw)
        case Writing.CITIZEN_ID:
            return upgrade_citizen_id(normalize_citizen_id(raw))
        case Writing.DATE:
            return raw.translate(_DATE_DROPPED)
        case Writing.NUMBER:
            return raw.translate(_NUMBER_DROPPED)
        case Writing.GEOMETRY | Writing.OBJECT | Writing.SUBJECT:
            return raw.strip(BLANKS)


def clean_sql(field: Field, expression: str) -> str:
    """`clean` as an immutable SQL expression over raw text."""
    return f"nullif({_written_sql(field.writing, expression)}, '')"


def _written_sql(writing: Writing, expression: str) -> str:
    match writing:
        case Writing.TEXT:
            return f"btrim({expression}, {quote(BLANKS)})"
        case Writing.CODE:
            return normalize_code_sql(expression)
        case Writing.CITIZEN_ID:
            return citizen_id_upgraded_sql(citizen_id_normalized_sql(expression))
        case Writing.DATE:
            return f"translate({expression}, {quote(_DATE_MARKS)}, '')"
        case Writing.NUMBER:
            return f"translate({expression}, {quote(_NUMBER_MARKS)}, '')"
        case Writing.GEOMETRY | Writing.OBJECT | Writing.SUBJECT:
            return f"btrim({expression}, {quote(BLANKS)})"


def typed_sql(field: Field, expression: str) -> str:
    """Cast cleaned, valid text to the type of the column in the final table; null stays null."""
    match field.data_type:
        case DataType.DATE:
            return f"to_date({expression}, 'YYYYMMDD')"
        case DataType.NUMBER:
            return f"({expression})::numeric"
        case DataType.GEOMETRY:
            return f"basedb_read_geometry({expression})"  # CGCS2000, whatever projection it came in
        case DataType.OBJECT:
            return f"({expression})::jsonb"
        case DataType.SUBJECT:
            return f"decode({expression}, 'hex')"
        case DataType.TEXT:
            return expression


def shown_sql(field: Field, column: str) -> str:
    """The text callers receive for a typed column: dates as YYYY-MM-DD, numbers plain; masks apply to this."""
    match field.data_type:
        case DataType.DATE:
            return f"to_char({column}, 'YYYY-MM-DD')"
        case DataType.NUMBER:
            return f"({column})::text"
        case DataType.GEOMETRY:
            return f"ST_AsGeoJSON({column}, 7, 0)"
        case DataType.OBJECT:
            return f"({column})::text"
        case DataType.SUBJECT:
            return f"encode({column}, 'hex')"
        case DataType.TEXT:
            return column
