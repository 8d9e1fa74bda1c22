"""Licenses for measurements: issued here with signature and holder, and aggregated, in states as a city has them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from django.db import connection
from psycopg2.extras import execute_values

if TYPE_CHECKING:
    from core.models import Department

ISSUER: Final = "11320100000000001X"
# Of a hundred licenses: how many are valid without end or till a later year, over by date, cancelled, replaced, suspended, ...
MIX: Final = (
    (55, "01", "NULL"),
    (22, "01", "date '2031-06-30' + (n % 900)::integer"),
    (13, "01", "date '2019-01-01' + (n % 2000)::integer"),
    (6, "04", "NULL"),
    (2, "05", "NULL"),
    (1, "07", "NULL"),
    (1, "02", "NULL"),
)


def aggregate(department: Department, rows: int) -> None:
    """Fill the table of aggregated licenses; states follow each other without order, as people's lives do."""
    chance = "(hashint8(n) & 1048575) % 100"
    bounds = [sum(share for share, _, _ in MIX[: number + 1]) for number in range(len(MIX))]
    states = " ".join(f"WHEN chance < {bound} THEN '{state}'" for bound, (_, state, _) in zip(bounds, MIX, strict=True))
    ends = " ".join(f"WHEN chance < {bound} THEN {end}" for bound, (_, _, end) in zip(bounds, MIX, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO basedb_license (subject_key, source_department_id, source_record_id, run_id, version, row_key,
                type_code, identifier, title, number, holder_name, holder_code, holder_code_type, issuer, issuer_code,
                issued_on, valid_from, valid_to, region_code, license_state, license_version, withdrawn_at)
            SELECT int8send(n % 900000) || int8send(n), {department.pk}, n, 1, 1, int8send(n) || int8send(n),
                '11100000000013338W011',
                '1.2.156.3005.2.11100000000013338W011.{ISSUER}.' || lpad(n::text, 11, '0') || '.001.X',
                '中华人民共和国机动车驾驶证', 'SYN' || lpad(n::text, 11, '0'), '张' || n % 9999, '990101' || lpad(n::text, 12, '0'),
                '111', '市公安局', '{ISSUER}', date '2015-01-01' + (n % 3600)::integer, date '2015-01-01' + (n % 3600)::integer,
                CASE {ends} END, '320102', CASE {states} END, '001', CASE WHEN n % 500 = 0 THEN now() END
            FROM (SELECT n, {chance} AS chance FROM generate_series(1, {rows}::bigint) n) r"""
        )
        cursor.execute("VACUUM ANALYZE basedb_license")


def issue(department: Department, count: int) -> list[str]:
    """Issue licenses and return their identifiers."""
    from licenses import numbering
    from licenses.models import KeyPurpose, SealKey, TypeVersion, ValidityKind

    kind = TypeVersion.objects.create(
        code=f"{ISSUER}011", name="机动车驾驶证", defining_body=department.name, defining_body_code=ISSUER, department=department,
        holder_kind="PERSON", validity_kind=ValidityKind.UNLIMITED, state="PUBLISHED", effective=(date(2020, 1, 1), None),
    )  # fmt: skip
    key = SealKey.objects.create(code="DATA-0000000000000000", purpose=KeyPurpose.DATA, public_key="-")
    serials = [f"{number:011d}" for number in range(count)]
    issuer = "11430000006122244L"
    identifiers = [numbering.compose(kind.code, issuer, serial, 1) for serial in serials]
    today = date.today()
    rows = [
        (kind.pk, kind.code, department.pk, issuer, department.name, serial, 1, identifier, f"SYN{serial}", "320102", "{}",
         today, today, "01", bytes(32), bytes(70), key.pk)
        for serial, identifier in zip(serials, identifiers, strict=True)
    ]  # fmt: skip
    columns = (
        "type_version_id, type_code, issuer_id, issuer_code, issuer_name, serial, version, identifier, number, region_code, face, "
        "issued_on, valid_from, state, digest, signature, key_id, uid, paper_state, paper_number, is_current"
    )
    with connection.cursor() as cursor:
        execute_values(
            cursor.cursor,
            f"INSERT INTO licenses_license ({columns}) VALUES %s",
            rows,
            template=f"({', '.join(['%s'] * len(rows[0]))}, gen_random_uuid(), 'NONE', '', true)",
            page_size=1000,
        )
        cursor.execute(
            "INSERT INTO licenses_licenseholder (license_id, ordinal, name, code, code_type, subject_key) "
            "SELECT id, 1, '测试' || id, '990101199001010011', '111', int8send(id) || int8send(id) FROM licenses_license"
        )
        cursor.execute("VACUUM ANALYZE licenses_license, licenses_licenseholder")
    return identifiers
