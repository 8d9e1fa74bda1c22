"""Building blocks for SQL that is composed as text (SQL 片段).

Rows are validated, cleaned and masked set-based inside PostgreSQL, so the pure modules of this room hand out SQL
expressions next to their Python equivalents. None of them contains a percent sign: psycopg2 would read it as a parameter.
Nothing here takes input from a user: expressions are built from constants and column names of the field contract.
"""

# Characters people paste around and inside codes: white space of all widths, zero-width marks, byte order mark.
BLANKS = " \t\r\n\u00a0\u2002\u2003\u2009\u200b\u3000\ufeff"

_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS = "0123456789"
_FULL_WIDTH_OFFSET = 0xFEE0


def _full_width(characters: str) -> str:
    return "".join(chr(ord(character) + _FULL_WIDTH_OFFSET) for character in characters)


_CODE_FROM = _UPPER.lower() + _full_width(_UPPER) + _full_width(_UPPER.lower()) + _full_width(_DIGITS)
_CODE_TO = _UPPER + _UPPER + _UPPER + _DIGITS
_CODE_DROPPED = BLANKS + "-\uff0d"
_CODE_TABLE = str.maketrans(_CODE_FROM, _CODE_TO, _CODE_DROPPED)


def quote(text: str) -> str:
    """Return `text` as an SQL literal, with invisible characters written as Unicode escapes."""
    if "\x00" in text:
        raise ValueError("PostgreSQL text cannot hold NUL")
    quoted = text.replace("'", "''")
    if text.isprintable():
        return f"'{quoted}'"
    escaped = "".join(
        character if character.isprintable() and character != "\\" else f"\\+{ord(character):06X}" for character in quoted
    )
    return f"U&'{escaped}'"


def normalize_code(raw: str) -> str:
    """Bring a code into its standard writing: half width, upper case, without blanks and hyphens."""
    return raw.translate(_CODE_TABLE)


def normalize_code_sql(expression: str) -> str:
    """`normalize_code` as an immutable SQL expression."""
    return f"translate({expression}, {quote(_CODE_FROM + _CODE_DROPPED)}, {quote(_CODE_TO)})"
