"""The one statement of verifications (核验查询): a license issued here, or aggregated, or what is known of who it names.

One row for each identifier asked after, read from the tables as they stand: nothing of a license, its key or its type is kept in
the process. Branches of a UNION ALL are read in order: the second only when the first has nothing. The same text serves Django's
connection (`%(name)s` marks) and the prepared statements of the hot path (`<<name>>` marks).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple

from licenses.numbering import ROOT, Identifier

PARAMETERS: Final = (("identifiers", "text[]"),)
# OFFSET 0 keeps a question about one issuer from being answered by reading the table for all of them.
TEMPLATE: Final = """
SELECT found.*,
    found.register IS NULL AND EXISTS (
        SELECT FROM licenses_license o WHERE o.type_code = split_part(asked.identifier, '.', 6)
            AND o.issuer_code = split_part(asked.identifier, '.', 7) OFFSET 0),
    found.register IS NULL AND EXISTS (
        SELECT FROM core_department d WHERE d.code = split_part(asked.identifier, '.', 7) OFFSET 0),
    asked.place
FROM unnest(<<identifiers>>) WITH ORDINALITY AS asked (identifier, place) LEFT JOIN LATERAL (
    SELECT 'issued' AS register, l.identifier, lpad(l.version::text, 3, '0') AS version, l.state, l.is_current, l.state_at,
        l.type_code, t.name AS type_name, l.issuer_code, l.issuer_name, l.issued_on, l.issued_at, l.valid_from, l.valid_to,
        l.position, h.name AS holder, h.code_type, h.subject_key, l.signature IS NOT NULL AS is_signed,
        k.code AS key_code, k.valid_from AS key_from, k.retired_at, k.compromised_at,
        CASE WHEN NOT l.is_current THEN (SELECT n.identifier FROM licenses_license n WHERE n.is_current
            AND n.type_code = l.type_code AND n.issuer_code = l.issuer_code AND n.serial = l.serial) END AS next_identifier,
        t.department_id = l.issuer_id OR EXISTS (SELECT FROM licenses_typeoffice o WHERE o.type_code = l.type_code
            AND o.department_id = l.issuer_id AND o.effective @> l.issued_on) AS is_entrusted
    FROM licenses_license l JOIN licenses_typeversion t ON t.id = l.type_version_id
    LEFT JOIN licenses_sealkey k ON k.id = l.key_id
    LEFT JOIN licenses_licenseholder h ON h.license_id = l.id AND h.ordinal = 1
    WHERE l.identifier = asked.identifier
    UNION ALL
    (SELECT 'aggregated', b.identifier, b.license_version, b.license_state, b.withdrawn_at IS NULL, b.changed_at,
        b.type_code, coalesce((SELECT t.name FROM basedb_licensetype t WHERE t.code = b.type_code LIMIT 1), b.title),
        coalesce(b.issuer_code, ''), b.issuer, b.issued_on, NULL, b.valid_from, b.valid_to,
        b.id, b.holder_name, b.holder_code_type, b.subject_key, false,
        NULL, NULL, NULL, NULL, NULL,
        b.issued_on IS NULL OR NOT EXISTS (SELECT FROM licenses_typeoffice o WHERE o.type_code = b.type_code
            AND NOT o.is_former_keeper AND lower(o.effective) <= b.issued_on)
        OR EXISTS (SELECT FROM licenses_typeoffice o JOIN core_department d ON d.id = o.department_id
            WHERE o.type_code = b.type_code AND d.code = b.issuer_code AND o.effective @> b.issued_on)
        OR EXISTS (SELECT FROM licenses_typeversion v JOIN core_department d ON d.id = v.department_id
            WHERE v.code = b.type_code AND d.code = b.issuer_code)
    FROM basedb_license b WHERE left(b.identifier, -6) = left(asked.identifier, -6)
    ORDER BY b.identifier = asked.identifier DESC, b.license_version DESC NULLS LAST, b.withdrawn_at IS NOT NULL, b.id LIMIT 1)
    LIMIT 1
) AS found ON true"""


class Found(NamedTuple):
    """A row of the statement but for its place. Without `register` nothing is known but the two last.

    `is_entrusted`: the issuer might issue the type on that day; of aggregated ones as far as the offices of a type are on record.
    """

    register: str | None
    identifier: str
    version: str | None
    state: str
    is_current: bool
    state_at: datetime
    type_code: str
    type_name: str
    issuer_code: str
    issuer_name: str
    issued_on: date
    issued_at: datetime | None
    valid_from: date | None
    valid_to: date | None
    position: int
    holder: str | None
    code_type: str | None
    subject_key: Any
    is_signed: bool
    key_code: str | None
    key_from: datetime | None
    retired_at: datetime | None
    compromised_at: datetime | None
    next_identifier: str | None
    is_entrusted: bool
    issues_here: bool
    is_registered: bool


def version_in(identifier: str) -> str:
    """Return the version an identifier names."""
    return identifier.rsplit(".", 2)[-2]


def written(parsed: Identifier) -> str:
    """Return an identifier that was read leniently in the standard's form, its check character as it was."""
    return f"{ROOT}.{parsed.type_code}.{parsed.issuer_code}.{parsed.serial}.{parsed.version:03d}.{parsed.check}"


def values(asked: Sequence[Identifier]) -> Mapping[str, list[str]]:
    """Return the statement's parameters."""
    return {"identifiers": [written(parsed) for parsed in asked]}


def found_in(rows: Iterable[tuple[Any, ...]]) -> list[Found]:
    """Return the rows of the statement in the order of what was asked."""
    return [Found(*row[:-1]) for row in sorted(rows, key=itemgetter(-1))]
