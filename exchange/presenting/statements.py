"""The two statements of the scanning side (扫码与读取语句): scanning takes a code over, reading hands over what was agreed to.

Each is one transaction for all who wait, a row for each. Reading starts from the admitted grant and the confirmed code: without
both, the use record and the call record there is nothing to send. Columns, rows and masks are those of the grant, in the SQL.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from basedb.licenses import begun_sql, live_sql
from basedb.lookup import ROW, Selection, data_sql, reach_sql
from exchange.calls.company import asked_sql, out_of
from exchange.calls.statement import ADMITTED, ASKED, MEMBERS, RECORD
from exchange.presenting.needs import beside_face, has_face
from licenses.presenting.holders import GONE_SQL
from licenses.presenting.statements import ANSWER_LASTS_SQL, few, may_do, not_blocked
from licenses.presenting.workflow import STEPS, Command

LICENSES_AT_MOST: Final = 50
TRIES_AT_MOST: Final = 20
TRIES_WITHIN: Final = "interval '10 minutes'"
AT_DESK: Final = """(
    SELECT now() AS at FROM exchange_grant g WHERE g.id = <<grant_id>> AND g.version = <<grant_version>> AND g.state = 'ACTIVE'
      AND g.valid_from <= now() AND g.valid_to > now()) AS admitted"""
SCANNING: Final = {
    "command": "text",
    "grant_id": "bigint",
    "grant_version": "integer",
    "credential_id": "bigint",
    "consumer_id": "bigint",
    "department_id": "bigint",
    "actor_id": "bigint",
    "digest": "bytea",
    "now": "timestamptz",
    "region_prefix": "text",
    "matter": "text",
    "matter_title": "text",
    "need_purpose": "text",
    "need_basis": "text",
    "needs": "jsonb",
}
READING: Final = {
    **{name: kind for name, kind in ASKED if name != "matter"},  # it is recorded as it was scanned for
    "command": "text",
    "presentation": "uuid",
    "now": "timestamptz",
    "region_prefix": "text",
}
OF_CODE: Final = (("digest", "bytea"), ("now", "timestamptz"))
OF_PRESENTATION: Final = (("presentation", "uuid"), ("consumer_id", "bigint"))
TRYING: Final = (
    ("consumer_id", "bigint"),
    ("actor_id", "bigint"),
    ("code", "text"),
    ("subject_key", "bytea"),
    ("now", "timestamptz"),
)


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

# Codes are taken in one order, so that two processes that take the same ones at once never wait for each other.
_SCAN: Final = """
WITH {asked},
standing AS MATERIALIZED (
    SELECT asked.*, (SELECT count(*) >= {tries} FROM (SELECT FROM licenses_presentingtry t WHERE t.system_id = <<consumer_id>>
        AND t.actor_id IS NOT DISTINCT FROM <<actor_id>> AND t.at > <<now>> - {within} LIMIT {tries}) AS lately) AS is_held
    FROM asked JOIN LATERAL {admitted} ON true WHERE {few} ORDER BY <<digest>>),
scanned AS (
    UPDATE licenses_presentingcode c SET state = '{after}', scanned_at = <<now>>, answer_until = <<now>> + {answer},
        system_id = <<consumer_id>>, system_name = (SELECT name FROM exchange_consumersystem WHERE id = <<consumer_id>>),
        department_id = <<department_id>>, department_name = (SELECT name FROM core_department WHERE id = <<department_id>>),
        grant_id = <<grant_id>>, actor_id = <<actor_id>>, matter = <<matter>>, matter_title = <<matter_title>>,
        purpose = coalesce(nullif((SELECT left(purpose, 200) FROM exchange_grant WHERE id = <<grant_id>>), ''), <<need_purpose>>),
        basis = <<need_basis>>, asked = {items}
    FROM standing AS asked WHERE c.digest = <<digest>> AND {may_do} AND NOT asked.is_held AND {not_blocked}
    RETURNING asked.place, c.uid, c.answer_until, c.purpose)
SELECT asked.place, asked.is_held, scanned.uid, scanned.answer_until, scanned.purpose
FROM standing AS asked LEFT JOIN scanned ON scanned.place = asked.place"""

_READ: Final = """
WITH {asked},
standing AS MATERIALIZED (SELECT asked.* FROM asked JOIN LATERAL {admitted} ON true WHERE {few} ORDER BY <<presentation>>),
code AS MATERIALIZED (
    UPDATE licenses_presentingcode c SET state = '{after}', read_at = <<now>> FROM standing AS asked
    WHERE c.uid = <<presentation>> AND c.system_id = <<consumer_id>> AND c.grant_id = <<grant_id>> AND {may_do} AND {not_blocked}
      AND NOT {gone} AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(c.given) AS one WHERE NOT EXISTS (
            SELECT FROM basedb_license {row} WHERE {row}.subject_key = c.subject_key
            AND {row}.row_key = decode(one ->> 'row', 'hex') AND {reached}))
    RETURNING asked.*, c.subject_key, c.given, c.matter, c.matter_title, c.purpose, c.actor_id,
        c.department_id AS desk_id, c.department_name AS desk_name),
picked AS MATERIALIZED (
    SELECT asked.place, {row}.identifier, {row}.type_code, {row}.issuer_code, turn, names,
        jsonb_build_object('type_code', {row}.type_code, 'title', {row}.title, 'items', coalesce((
            SELECT jsonb_object_agg(name, CASE WHEN jsonb_exists(its.base, name) THEN its.base -> name ELSE its.face -> name END)
            FROM unnest(names) AS name), '{{}}')) AS told
    FROM code AS asked CROSS JOIN LATERAL jsonb_array_elements(asked.given) WITH ORDINALITY AS given (one, turn)
    JOIN basedb_license {row} ON {row}.subject_key = asked.subject_key AND {row}.row_key = decode(one ->> 'row', 'hex')
    CROSS JOIN LATERAL (
        SELECT {base} AS base, {face} AS face, ARRAY(SELECT jsonb_array_elements_text(one -> 'items')) AS names) AS its),
signed AS MATERIALIZED (
    SELECT *, sha256(convert_to(body, 'UTF8')) AS digest FROM (
        SELECT asked.*, json_build_object('call_id', <<call_id>>, 'presentation', <<presentation>>, 'matter', asked.matter,
            'licenses', coalesce((SELECT jsonb_agg(told ORDER BY turn) FROM picked WHERE picked.place = asked.place), '[]'))::text
            AS body, (SELECT count(*) FROM picked WHERE picked.place = asked.place) AS row_count
        FROM code AS asked OFFSET 0) AS answer),
used AS (
    INSERT INTO licenses_licenseuse (uid, identifier, type_code, issuer_code, subject_key, channel, department_id, department_name,
        system_id, actor_id, matter, purpose, items, call_id, at)
    SELECT gen_random_uuid(), coalesce(picked.identifier, ''), picked.type_code, coalesce(picked.issuer_code, ''),
        asked.subject_key, 'PRESENTED', asked.desk_id, asked.desk_name, <<consumer_id>>, asked.actor_id,
        asked.matter_title, asked.purpose, picked.names, <<call_id>>, <<now>>
    FROM code AS asked JOIN picked ON picked.place = asked.place),
recorded AS ({record})
SELECT asked.place, signed.body, encode(signed.digest, 'hex')
FROM standing AS asked LEFT JOIN signed ON signed.place = asked.place"""


@lru_cache(maxsize=256)
def scan_sql(selection: Selection, *, is_desk: bool = False) -> str:
    """Return the statement that takes codes over for grants of this form; of an admitted call it tells what came of it."""
    scan = _SCAN.format(
        asked=asked_sql(SCANNING),
        admitted=AT_DESK if is_desk else ADMITTED,
        few=few(Command.SCAN),
        tries=TRIES_AT_MOST,
        within=TRIES_WITHIN,
        after=STEPS[Command.SCAN].after,
        answer=ANSWER_LASTS_SQL,
        items=_ASKED.format(row=ROW, reached=_reached(selection), most=LICENSES_AT_MOST),
        may_do=may_do(Command.SCAN, "c"),
        not_blocked=not_blocked("c.subject_key"),
    )
    return out_of("asked", scan, SCANNING)


@lru_cache(maxsize=256)
def read_sql(selection: Selection, *, is_desk: bool = False) -> str:
    """Return the statement that hands over what holders agreed to, and records it; of an admitted call it tells the answer."""
    base = beside_face(selection)
    issued = (
        f"(SELECT i.face FROM licenses_license i WHERE i.identifier = {ROW}.identifier AND EXISTS (SELECT "
        f"FROM licenses_licenseholder h WHERE h.license_id = i.id AND h.subject_key = {ROW}.subject_key))"
    )
    names = "SELECT unnest(names) AS name FROM picked WHERE picked.place = asked.place"
    record = RECORD.format(
        mode="QUERY",
        outcome="call.answered",
        fields=f"(SELECT array_agg(DISTINCT left(name, 40)) FROM ({names}) AS named)",
        subject_key="subject_key",
        row_count="row_count",
        answer_digest="digest",
        answer_bytes="octet_length(body)",
        subjects_digest="NULL",
        source="signed AS asked",
    ).replace("<<matter>>", "matter")
    read = _READ.format(
        asked=asked_sql(READING),
        admitted=AT_DESK if is_desk else ADMITTED,
        few=few(Command.READ),
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
    return out_of("asked", read, READING)


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
