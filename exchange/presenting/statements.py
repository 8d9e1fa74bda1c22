"""The two statements of the scanning side (扫码与读取语句): scanning takes a code over, reading hands over what was agreed to.

Each is one transaction. Reading starts from the admitted grant and the confirmed code: without both, the use record and the call
record there is no row to send. Columns, rows and masks are those of the grant, in the SQL.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from basedb.licenses import begun_sql, live_sql
from basedb.lookup import ROW, Selection, data_sql, reach_sql
from exchange.calls.statement import ADMITTED, ASKED, MEMBERS, RECORD
from exchange.presenting.needs import beside_face, has_face
from licenses.presenting.holders import GONE_SQL
from licenses.presenting.statements import ANSWER_LASTS_SQL, may_do, not_blocked
from licenses.presenting.workflow import STEPS, Command

LICENSES_AT_MOST: Final = 50
TRIES_AT_MOST: Final = 20
TRIES_WITHIN: Final = "interval '10 minutes'"
AT_DESK: Final = """(
    SELECT now() AS at FROM exchange_grant g WHERE g.id = <<grant_id>> AND g.version = <<grant_version>> AND g.state = 'ACTIVE'
      AND g.valid_from <= now() AND g.valid_to > now()) AS admitted"""
ADMITTING: Final = (("grant_id", "bigint"), ("grant_version", "integer"), ("credential_id", "bigint"))
SCANNING: Final = (
    *ADMITTING,
    ("consumer_id", "bigint"),
    ("department_id", "bigint"),
    ("actor_id", "bigint"),
    ("digest", "bytea"),
    ("now", "timestamptz"),
    ("region_prefix", "text"),
    ("matter", "text"),
    ("matter_title", "text"),
    ("need_purpose", "text"),
    ("need_basis", "text"),
    ("needs", "jsonb"),
)
READING: Final = (*ASKED, ("presentation", "uuid"), ("now", "timestamptz"), ("region_prefix", "text"))
OF_CODE: Final = (("digest", "bytea"), ("now", "timestamptz"))
OF_PRESENTATION: Final = (("presentation", "uuid"), ("consumer_id", "bigint"))
TRYING: Final = (
    ("consumer_id", "bigint"),
    ("actor_id", "bigint"),
    ("code", "text"),
    ("subject_key", "bytea"),
    ("now", "timestamptz"),
)


def with_lists(parameters: tuple[tuple[str, str], ...], count: int) -> tuple[tuple[str, str], ...]:
    """Return parameters with those of a row filter."""
    return (*parameters, *((f"list_{number}", "text[]") for number in range(count)))


def _reached(selection: Selection) -> str:
    """Whether a license is valid here and now, and one the grant reaches."""
    lists = [f"<<list_{number}>>" for number in range(len(selection.rows.listed))]
    reach = reach_sql(selection, region_prefix="<<region_prefix>>", lists=lists, members=MEMBERS)
    superseded = (
        f"EXISTS (SELECT FROM licenses_license i WHERE i.identifier = {ROW}.identifier AND (i.state <> '01' OR NOT i.is_current))"
    )
    return f"{live_sql(ROW)} AND {begun_sql(ROW)} AND NOT {superseded} AND {reach}"


_ASKED: Final = """coalesce((SELECT jsonb_agg(one ORDER BY place) FROM (
    SELECT jsonb_build_object('row', encode({row}.row_key, 'hex'), 'type_code', {row}.type_code, 'title', {row}.title,
        'issuer', {row}.issuer, 'items', <<needs>> -> {row}.type_code) AS one, -{row}.id AS place
    FROM basedb_license {row} WHERE {row}.subject_key = c.subject_key AND jsonb_exists(<<needs>>, {row}.type_code)
      AND (c.chosen = '{{}}' OR encode({row}.row_key, 'hex') = ANY (c.chosen))
      AND (c.type_codes = '{{}}' OR {row}.type_code = ANY (c.type_codes)) AND {reached}
    ORDER BY place LIMIT {most}) AS every), '[]')"""

_SCAN: Final = """
WITH admitted AS MATERIALIZED (SELECT at FROM {admitted}),
held AS MATERIALIZED (SELECT count(*) >= {tries} AS is_held FROM (SELECT FROM licenses_presentingtry t
    WHERE t.system_id = <<consumer_id>> AND t.actor_id IS NOT DISTINCT FROM <<actor_id>>
      AND t.at > <<now>> - {within} LIMIT {tries}) AS lately),
scanned AS (
    UPDATE licenses_presentingcode c SET state = '{after}', scanned_at = <<now>>, answer_until = <<now>> + {answer},
        system_id = <<consumer_id>>, system_name = (SELECT name FROM exchange_consumersystem WHERE id = <<consumer_id>>),
        department_id = <<department_id>>, department_name = (SELECT name FROM core_department WHERE id = <<department_id>>),
        grant_id = <<grant_id>>, actor_id = <<actor_id>>, matter = <<matter>>, matter_title = <<matter_title>>,
        purpose = coalesce(nullif((SELECT left(purpose, 200) FROM exchange_grant WHERE id = <<grant_id>>), ''), <<need_purpose>>),
        basis = <<need_basis>>, asked = {asked}
    FROM admitted, held
    WHERE c.digest = <<digest>> AND {may_do} AND NOT held.is_held AND {not_blocked}
    RETURNING c.uid, c.answer_until, c.purpose)
SELECT EXISTS (SELECT FROM admitted), held.is_held, scanned.uid, scanned.answer_until, scanned.purpose
FROM held LEFT JOIN scanned ON true"""

_READ: Final = """
WITH admitted AS MATERIALIZED (SELECT at FROM {admitted}),
code AS MATERIALIZED (
    UPDATE licenses_presentingcode c SET state = '{after}', read_at = <<now>> FROM admitted
    WHERE c.uid = <<presentation>> AND c.system_id = <<consumer_id>> AND c.grant_id = <<grant_id>> AND {may_do} AND {not_blocked}
      AND NOT {gone} AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(c.given) AS one WHERE NOT EXISTS (
            SELECT FROM basedb_license {row} WHERE {row}.subject_key = c.subject_key
            AND {row}.row_key = decode(one ->> 'row', 'hex') AND {reached}))
    RETURNING c.uid, c.subject_key, c.given, c.matter, c.matter_title, c.purpose, c.department_id, c.department_name, c.actor_id),
picked AS MATERIALIZED (
    SELECT {row}.identifier, {row}.type_code, {row}.issuer_code, code.subject_key, place, names,
        jsonb_build_object('type_code', {row}.type_code, 'title', {row}.title, 'items', coalesce((
            SELECT jsonb_object_agg(name, CASE WHEN jsonb_exists(its.base, name) THEN its.base -> name ELSE its.face -> name END)
            FROM unnest(names) AS name), '{{}}')) AS told
    FROM code CROSS JOIN LATERAL jsonb_array_elements(code.given) WITH ORDINALITY AS given (one, place)
    JOIN basedb_license {row} ON {row}.subject_key = code.subject_key AND {row}.row_key = decode(one ->> 'row', 'hex')
    CROSS JOIN LATERAL (
        SELECT {base} AS base, {face} AS face, ARRAY(SELECT jsonb_array_elements_text(one -> 'items')) AS names) AS its),
signed AS MATERIALIZED (
    SELECT *, sha256(convert_to(body, 'UTF8')) AS digest FROM (
        SELECT code.subject_key, code.matter,
            json_build_object('call_id', <<call_id>>, 'presentation', code.uid, 'matter', code.matter,
            'licenses', coalesce((SELECT jsonb_agg(told ORDER BY place) FROM picked), '[]'))::text AS body,
            (SELECT count(*) FROM picked) AS row_count FROM code OFFSET 0) AS answer),
used AS (
    INSERT INTO licenses_licenseuse (uid, identifier, type_code, issuer_code, subject_key, channel, department_id, department_name,
        system_id, actor_id, matter, purpose, items, call_id, at)
    SELECT gen_random_uuid(), coalesce(picked.identifier, ''), picked.type_code, coalesce(picked.issuer_code, ''),
        picked.subject_key, 'PRESENTED', code.department_id, code.department_name, <<consumer_id>>, code.actor_id,
        code.matter_title, code.purpose, picked.names, <<call_id>>, <<now>> FROM picked CROSS JOIN code),
recorded AS ({record})
SELECT EXISTS (SELECT FROM admitted), signed.body, encode(signed.digest, 'hex') FROM (SELECT) AS always LEFT JOIN signed ON true"""


@lru_cache(maxsize=256)
def scan_sql(selection: Selection, *, is_desk: bool = False) -> str:
    """Return the statement that takes a code over for a grant of this form."""
    asked = _ASKED.format(row=ROW, reached=_reached(selection), most=LICENSES_AT_MOST)
    return _SCAN.format(
        admitted=AT_DESK if is_desk else ADMITTED,
        tries=TRIES_AT_MOST,
        within=TRIES_WITHIN,
        after=STEPS[Command.SCAN].after,
        answer=ANSWER_LASTS_SQL,
        asked=asked,
        may_do=may_do(Command.SCAN, "c"),
        not_blocked=not_blocked("c.subject_key"),
    )


@lru_cache(maxsize=256)
def read_sql(selection: Selection, *, is_desk: bool = False) -> str:
    """Return the statement that hands over what a holder agreed to, and records it."""
    base = beside_face(selection)
    issued = (
        f"(SELECT i.face FROM licenses_license i WHERE i.identifier = {ROW}.identifier AND EXISTS (SELECT "
        f"FROM licenses_licenseholder h WHERE h.license_id = i.id AND h.subject_key = {ROW}.subject_key))"
    )
    record = RECORD.format(
        mode="QUERY",
        outcome="call.answered",
        fields="(SELECT array_agg(DISTINCT left(name, 40)) FROM picked CROSS JOIN LATERAL unnest(picked.names) AS name)",
        subject_key="subject_key",
        row_count="row_count",
        answer_digest="digest",
        answer_bytes="octet_length(body)",
        subjects_digest="NULL",
        source="signed",
    ).replace("<<matter>>", "matter")  # as it was scanned for
    return _READ.format(
        admitted=AT_DESK if is_desk else ADMITTED,
        after=STEPS[Command.READ].after,
        may_do=may_do(Command.READ, "c"),
        not_blocked=not_blocked("c.subject_key"),
        gone=GONE_SQL.format(key="c.subject_key"),
        row=ROW,
        reached=_reached(selection),
        base=f"({data_sql(base)})::jsonb" if base.columns else "'{}'::jsonb",
        face=f"coalesce({issued}, {ROW}.face)" if has_face(selection) else "NULL::jsonb",
        record=record,
    )


EXPLAIN_SCAN: Final = f"""
WITH again AS (UPDATE licenses_presentingcode SET rescans = least(rescans + 1, 30000), rescanned_at = <<now>>
    WHERE digest = <<digest>> AND state NOT IN ('CREATED', 'BLOCKED'))
SELECT c.state, c.expires_at, c.answer_until, c.read_until, c.subject_key, {not_blocked("c.subject_key")}
FROM licenses_presentingcode c WHERE c.digest = <<digest>>"""

EXPLAIN_READ: Final = f"""
SELECT c.state, c.expires_at, c.answer_until, c.read_until, {not_blocked("c.subject_key")}, {GONE_SQL.format(key="c.subject_key")},
    c.grant_id, c.rescans
FROM licenses_presentingcode c WHERE c.uid = <<presentation>> AND c.system_id = <<consumer_id>>"""

TRY: Final = """
INSERT INTO licenses_presentingtry (system_id, actor_id, code, subject_key, at)
VALUES (<<consumer_id>>, <<actor_id>>, <<code>>, <<subject_key>>, <<now>>)"""
