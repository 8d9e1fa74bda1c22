"""The rows `dossier.person` reads: people with a second source, household, residence, event, office, licenses, credit and calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.db import connection

from bench import frame

if TYPE_CHECKING:
    from tests.factories import City

_KEY: Final = "decode(md5('dossier' || n), 'hex')"
_FIRM: Final = "decode(md5('firm' || n / 7), 'hex')"
_IDENTIFIER: Final = "'990101' || lpad(n::text, 12, '0')"
_SOURCES: Final = (
    ("population.person", "PUBLIC_SECURITY", True),
    ("population.person", "CIVIL_AFFAIRS", False),
    ("population.household_member", "PUBLIC_SECURITY", True),
    ("population.residence", "PUBLIC_SECURITY", True),
    ("population.vital_event", "CIVIL_AFFAIRS", True),
    ("population.attribute", "EDUCATION", True),
)
_PAYLOADS: Final = (
    f"""'citizen_id', {_IDENTIFIER}, 'name', '测试' || n, 'sex', '1', 'ethnicity', '01', 'birth_on', '19800506',
    'person_status', '0', 'region_code', '320102', 'address', '示意路' || n || '号', 'phone', '13800000000'""",
    f"'citizen_id', {_IDENTIFIER}, 'name', '测试' || n, 'marital_status', '20'",
    f"'citizen_id', {_IDENTIFIER}, 'household_number', 'H' || lpad((n / 3)::text, 9, '0'), 'household_relation', '01'",
    f"'citizen_id', {_IDENTIFIER}, 'residence_kind', '2', 'region_code', '320102', 'address', '示意路', 'moved_in_on', '20050101'",
    f"'citizen_id', {_IDENTIFIER}, 'vital_event', '30', 'occurred_on', '20050520', 'registered_on', '20050520'",
    f"'citizen_id', {_IDENTIFIER}, 'attribute_kind', 'EDUCATION', 'attribute_value', '20', 'valid_from', '20020701'",
)
_OF: Final = "%(police)s, 1, 1, 1"
_TABLES: Final = (
    f"""INSERT INTO basedb_person (subject_key, citizen_id, name, sex, birth_on, person_status, region_code, address,
        source_department_id, source_record_id, run_id, version)
    SELECT {_KEY}, {_IDENTIFIER}, '测试' || n, '1', date '1980-05-06', '0', '320102', '示意路', {_OF} FROM %(n)s""",
    f"""INSERT INTO basedb_household (subject_key, row_key, household_number, household_kind, region_code, address,
        source_department_id, source_record_id, run_id, version)
    SELECT {_KEY}, {_KEY}, 'H' || lpad(n::text, 9, '0'), '1', '320102', '示意路', {_OF} FROM %(n)s WHERE n <= %(people)s / 3""",
    f"""INSERT INTO basedb_householdmember (subject_key, row_key, citizen_id, household_number, household_relation,
        source_department_id, source_record_id, run_id, version)
    SELECT {_KEY}, {_KEY}, {_IDENTIFIER}, 'H' || lpad((n / 3)::text, 9, '0'), '01', {_OF} FROM %(n)s""",
    f"""INSERT INTO basedb_entityofficer (subject_key, row_key, uscc, person_key, officer_role, appointed_on,
        source_department_id, source_record_id, run_id, version)
    SELECT {_FIRM}, {_KEY}, lpad((n / 7)::text, 18, '9'), {_KEY}, '01', date '2010-01-01', {_OF} FROM %(n)s WHERE mod(n, 5) = 0""",
    f"""INSERT INTO basedb_license (subject_key, row_key, type_code, title, number, holder_name, holder_code,
        holder_code_type, issuer, issued_on, region_code, license_state, source_department_id, source_record_id, run_id, version)
    SELECT {_KEY}, decode(md5('license' || n || '/' || c), 'hex'), 'T', '示意证', n || '-' || c, '测试' || n, {_IDENTIFIER}, '111',
        '示意局', date '2020-01-01', '320102', '01', {_OF} FROM %(n)s, generate_series(1, 2) c""",
    f"""INSERT INTO basedb_creditpermit (subject_key, row_key, subject_name, subject_category, subject_code, document_number,
        decided_on, authority, authority_code, published_on, region_code, item_code, permit_category, content,
        source_department_id, source_record_id, run_id, version)
    SELECT {_KEY}, decode(md5('permit' || n || '/' || c), 'hex'), '测试' || n, '自然人', {_IDENTIFIER}, n || '-' || c,
        date '2025-01-01', '示意局', '1', date '2025-01-02', '320102', '0201', '核准', '示意', {_OF}
    FROM %(n)s, generate_series(1, 2) c""",
)
_CALLS: Final = f"""
INSERT INTO exchange_callrecord (requested_at, consumer_id, call_id, credential_id, department_id, mode, outcome, subject_key)
SELECT now() - n * interval '1 ms', 1, gen_random_uuid(), 1, %(police)s, 'QUERY', 'call.answered', {_KEY} FROM %(n)s"""


def key_of(number: int) -> bytes:
    """Return the key of a person."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_KEY} FROM (SELECT %s AS n) given", [number])
        return bytes(cursor.fetchone()[0])


def fill(people: int) -> City:
    """Fill everything a person's dossier reads, by SQL, and return the cast."""
    from basedb.models import DataSource
    from tests import factories

    city = factories.make_city()
    known = datetime(2025, 1, 1, tzinfo=UTC)
    series = f"generate_series(0, {people - 1}) n"
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT exchange_make_call_record_partition(date_trunc('month', now() - interval '1 day')::date)")
        cursor.execute("SELECT exchange_make_call_record_partition(date_trunc('month', now())::date)")
        for (dataset, collector, is_lead), payload in zip(_SOURCES, _PAYLOADS, strict=True):
            source = DataSource.objects.create(
                code=f"bench.{dataset}.{collector}", title=dataset, dataset=dataset, department=city.police, collector=collector,
                is_lead=is_lead,
            )  # fmt: skip
            cursor.execute(
                f"""INSERT INTO basedb_sourcerecord (id, chain, source_id, source_key, run_id, row_hash, subject_key,
                    payload, valid, known)
                SELECT i, i, %s, n::text, 1, '', {_KEY}, jsonb_build_object({payload}), tstzrange(%s, NULL), tstzrange(%s, NULL)
                FROM (SELECT n, nextval(pg_get_serial_sequence('basedb_sourcerecord', 'id')) AS i FROM {series}) numbered""",
                [source.pk, known, known],
            )
        cursor.execute(
            """INSERT INTO basedb_crosswalk (chain, dataset, entity_key, tier, rule_version, linked)
            SELECT r.chain, 'population.person', r.subject_key, 'EXACT', 'bench', tstzrange(%s, NULL) FROM basedb_sourcerecord r
            JOIN basedb_datasource s ON s.id = r.source_id AND s.dataset = 'population.person'""",
            [known],
        )
        for sql in (*_TABLES, _CALLS):
            filled = sql.replace("%(n)s", series).replace("%(people)s", str(people)).replace("%(police)s", str(city.police.pk))
            cursor.execute(filled)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")
    frame.say(f"{people:,} people")
    return city
