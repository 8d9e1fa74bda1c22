"""The statement of one material (单项材料取数): it checks the grant, reads what the plan allows, and writes the call record.

Like every call it starts from the admitted grant: one that has changed leaves neither record nor answer. Columns, masks and rows
are limited here, in the SQL; licenses that are not valid are told of by their state, never by their items.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from basedb.dictionary import DATASETS
from basedb.dictionary.licenses import LICENSE
from basedb.licenses import EXPIRED, begun_sql, live_sql
from basedb.lookup import ROW, Column, Selection, data_sql, reach_sql
from basedb.masking import Mask
from basedb.sql_text import quote
from exchange.calls.records import COLUMNS, INSERT
from exchange.calls.statement import ASKED, MEMBERS, record_sql
from exchange.matters.planning import IDENTIFIER, MODE, Plan
from licenses.presenting.running import through_django

ROWS_AT_MOST: Final = 50
SUPERSEDED: Final = "SUPERSEDED"
NOT_YET_VALID: Final = "NOT_YET_VALID"
_OWN: Final = (("subject_key", "bytea"), ("region_prefix", "text"), ("type_code", "text"))

# At a desk no key signs (`credential_id` is 0): the system's own standing counts.
_ADMITTED: Final = """(
    SELECT now() AS at FROM exchange_grant g JOIN exchange_consumersystem s ON s.id = g.system_id
    WHERE g.id = <<grant_id>> AND g.version = <<grant_version>> AND g.state = 'ACTIVE' AND s.is_active
      AND g.valid_from <= now() AND g.valid_to > now() AND (<<credential_id>> = 0 OR EXISTS (
          SELECT FROM exchange_credential c WHERE c.id = <<credential_id>> AND c.state = 'ACTIVE'))
) AS admitted"""

_PART: Final = """
WITH admitted AS MATERIALIZED (SELECT at FROM {admitted}),
signed AS MATERIALIZED (
    SELECT *, sha256(convert_to(body, 'UTF8')) AS digest FROM (
        SELECT json_build_object('call_id', <<call_id>>, 'items', held.items, 'licenses', held.licenses,
                'source', source.name, 'as_of', coalesce(held.changed_at, at))::text AS body,
            held.live_count AS row_count, held.used, held.ended, coalesce(source.name, '') AS provider,
            CASE WHEN held.live_count > 0 THEN 'FOUND' WHEN held.row_count > 0 THEN 'NOT_VALID' ELSE 'NOT_FOUND' END AS state
        FROM admitted CROSS JOIN LATERAL ({rows}) AS held LEFT JOIN core_department source ON source.id = held.source_id
        OFFSET 0) AS answer
), recorded AS ({record})
SELECT body, state, ended, provider, used FROM signed"""

_GATHERED: Final = """
SELECT coalesce(json_agg(data ORDER BY place) FILTER (WHERE is_live), '[]') AS items,
    coalesce(json_agg(license ORDER BY place) FILTER (WHERE is_live AND license IS NOT NULL), '[]') AS licenses,
    coalesce(json_agg(json_build_array(identifier, issuer_code) ORDER BY place) FILTER (WHERE is_live), '[]') AS used,
    count(*) FILTER (WHERE is_live) AS live_count, count(*) AS row_count, max(changed_at) AS changed_at,
    coalesce((array_agg(ended ORDER BY place))[1], '') AS ended, (array_agg(source_id ORDER BY place))[1] AS source_id
FROM ({rows}) AS each"""


@lru_cache(maxsize=256)
def part_sql(selection: Selection, face: tuple[str, ...], beside: tuple[Column, ...]) -> str:
    """Return the statement of one material; its marks are those of a call and `_OWN`."""
    rows = _GATHERED.format(rows=_license_rows(selection, face, beside) if selection.dataset == LICENSE.code else _rows(selection))
    recorded = Selection(selection.dataset, selection.columns + beside, selection.rows)
    record = record_sql(MODE, recorded, subject_key="<<subject_key>>")
    return _PART.format(admitted=_ADMITTED, rows=rows, record=record)


def _reach(selection: Selection) -> str:
    lists = [f"<<list_{number}>>" for number in range(len(selection.rows.listed))]
    return reach_sql(selection, region_prefix="<<region_prefix>>", lists=lists, members=MEMBERS)


def _rows(selection: Selection) -> str:
    """The rows of a subject, newest first: one of a MASTER, several of a FACT."""
    dataset = DATASETS[selection.dataset]
    day = f"{ROW}.{dataset.day_field} DESC NULLS LAST, " if dataset.day_field else ""
    return (
        f"SELECT {data_sql(selection)} AS data, NULL::json AS license, NULL::text AS identifier, NULL::text AS issuer_code, "
        f"true AS is_live, NULL::text AS ended, {ROW}.changed_at, {ROW}.source_department_id AS source_id, "
        f"row_number() OVER (ORDER BY {day}{ROW}.id DESC) AS place FROM {dataset.table} {ROW} "
        f"WHERE {ROW}.subject_key = <<subject_key>> AND {_reach(selection)} ORDER BY place LIMIT {ROWS_AT_MOST}"
    )


def _license_rows(selection: Selection, face: tuple[str, ...], beside: tuple[Column, ...]) -> str:
    """The licenses of a holder of one type, valid ones first. What this office itself says of its licenses counts at once."""
    data = data_sql(selection)
    if face:
        pairs = ", ".join(f"{quote(f'face.{name}')}, {ROW}.face ->> {quote(name)}" for name in face)
        data = f"({data}::jsonb || json_build_object({pairs})::jsonb)::json"
    told = [f"'issued_by', {ROW}.issuer"]
    if any(column.field == IDENTIFIER and column.mask is Mask.NONE for column in selection.columns + beside):
        told.append(f"'identifier', {ROW}.identifier")
    begun = begun_sql(ROW)
    is_live = f"({live_sql(ROW)} AND {begun} AND coalesce(own.state, '01') = '01' AND own.is_current IS NOT FALSE)"
    state = f"coalesce(own.state, {ROW}.license_state)"
    of_time = f"CASE WHEN {begun} THEN '{EXPIRED}' ELSE '{NOT_YET_VALID}' END"
    ended = f"CASE WHEN own.is_current IS FALSE THEN '{SUPERSEDED}' WHEN {state} = '01' THEN {of_time} ELSE {state} END"
    return (
        f"SELECT {data} AS data, json_build_object({', '.join(told)}) AS license, {ROW}.identifier, {ROW}.issuer_code, "
        f"{is_live} AS is_live, CASE WHEN NOT {is_live} THEN {ended} END AS ended, {ROW}.changed_at, "
        f"{ROW}.source_department_id AS source_id, "
        f"row_number() OVER (ORDER BY {is_live} DESC, {ROW}.issued_on DESC, {ROW}.id DESC) AS place "
        f"FROM basedb_license {ROW} LEFT JOIN licenses_license own ON own.identifier = {ROW}.identifier "
        f"WHERE {ROW}.subject_key = <<subject_key>> AND {ROW}.type_code = <<type_code>> AND {_reach(selection)} "
        f"ORDER BY place LIMIT {ROWS_AT_MOST}"
    )


def read_and_record(plan: Plan, values: dict[str, Any]) -> tuple[Any, ...] | None:
    """Run the statement of a plan in the caller's transaction; None when the grant has changed."""
    if plan.terms is None or plan.selection is None:
        raise ValueError("a plan without a grant is not read")
    lists = tuple((f"list_{number}", "text[]") for number in range(len(plan.terms.lists)))
    rows = through_django(part_sql(plan.selection, plan.face, plan.beside), (*ASKED, *_OWN, *lists), values)
    return next(iter(rows), None)


def record_refused(values: dict[str, Any]) -> None:
    """Append the record of a material that was not answered, in the caller's transaction."""
    through_django(INSERT, COLUMNS, values)
