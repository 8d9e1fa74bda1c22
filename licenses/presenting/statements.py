"""The statements of the holder's side (亮证语句): each is one transaction by itself, so that both doors share them.

Which states a command starts from and until when stands in `workflow`. Creating and answering take many at once, a row for each
(`orders`); for whom a statement returns nothing, its caller explains.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from basedb.sql_text import quote
from licenses.presenting.workflow import ANSWER_LASTS, CODE_LIVES, READ_LASTS, STEPS, Command

CODES_AT_MOST: Final = 60  # of one holder within ten minutes
LEAST_ASSURANCE: Final = 2
CREATING: Final = "CREATE"

AT: Final = (("token", "bytea"), ("now", "timestamptz"))
ORDERS: Final = (("orders", "json"),)


def seconds(duration: timedelta) -> str:
    """Return a duration as an SQL interval."""
    return f"interval '{int(duration.total_seconds())} seconds'"


def not_blocked(*keys: str) -> str:
    """Whether none of these holders is stopped."""
    return f"NOT EXISTS (SELECT FROM licenses_holderblock b WHERE b.subject_key IN ({', '.join(keys)}) AND b.lifted_at IS NULL)"


def may_do(command: Command, code: str, now: str = "<<now>>") -> str:
    """Whether a command may be given to a code now."""
    step = STEPS[command]
    return f"{code}.state = '{step.before}' AND {code}.{step.until} > {now}"


def few(*commands: str) -> str:
    """Return what holds of every row of a list anyway: its command is one of these.

    The planner takes a list for a hundred rows, would read all codes while they are few, and go on so when they are many. Of rows
    that equal a word it expects one, and looks each code up.
    """
    return f"asked.command IN ({', '.join(quote(command) for command in commands)})"


def _session_of(token: str, now: str) -> str:
    """Return the live session of a token's digest, as a table of at most one row."""
    return f"""(
    SELECT s.id, s.uid, s.subject_key, s.subject_kind, s.person_key, s.expires_at, s.assurance, s.agent_id,
        coalesce(a.type_codes, '{{}}'::varchar[]) AS type_codes
    FROM licenses_holdersession s LEFT JOIN licenses_enterpriseagent a ON a.id = s.agent_id
    WHERE s.token_digest = {token} AND s.ended_at IS NULL AND s.expires_at > {now} AND s.assurance >= {LEAST_ASSURANCE}
      AND (s.agent_id IS NULL OR (a.revoked_at IS NULL AND a.period @> ({now} AT TIME ZONE 'Asia/Shanghai')::date))
      AND {not_blocked("s.subject_key", "s.person_key")}
) AS session"""


FIND: Final = f"""
SELECT id, uid, subject_key, subject_kind, person_key, expires_at, assurance, agent_id, type_codes
FROM {_session_of("<<token>>", "<<now>>")}"""

# Of one holder's codes in one trip each counts those before it, as if they came one after the other.
CREATE: Final = f"""
WITH asked AS MATERIALIZED (
    SELECT asked.uid, asked.digest, asked.chosen, asked.now, session.id AS session_id, session.subject_key, session.subject_kind,
        session.type_codes, row_number() OVER (PARTITION BY session.subject_key ORDER BY asked.place) AS turn
    FROM json_to_recordset(<<orders>>) AS asked (
        place integer, command text, token bytea, now timestamptz, uid uuid, digest bytea, chosen text[])
    CROSS JOIN LATERAL {_session_of("asked.token", "asked.now")} WHERE {few(CREATING)})
INSERT INTO licenses_presentingcode (uid, digest, session_id, subject_key, subject_kind, chosen, type_codes, state, created_at,
    expires_at, system_name, department_name, matter, matter_title, purpose, basis, asked, rescans)
SELECT uid, digest, session_id, subject_key, subject_kind, chosen::varchar[], type_codes, '{STEPS[Command.SCAN].before}', now,
    now + {seconds(CODE_LIVES)}, '', '', '', '', '', '', '[]'::jsonb, 0
FROM asked WHERE NOT EXISTS (
    SELECT FROM (SELECT c.created_at FROM licenses_presentingcode c WHERE c.subject_key = asked.subject_key
        ORDER BY c.id DESC OFFSET {CODES_AT_MOST} - asked.turn LIMIT 1) AS last
    WHERE last.created_at > asked.now - interval '10 minutes')
RETURNING uid, expires_at"""

_ALL_ASKED: Final = """(SELECT coalesce(jsonb_agg(jsonb_build_object('row', one -> 'row', 'items',
    (SELECT coalesce(jsonb_agg(item -> 'name'), '[]') FROM jsonb_array_elements(one -> 'items') AS item))), '[]')
    FROM jsonb_array_elements(c.asked) AS one)"""

# Yes and no start alike. Of two answers to one code in one trip one is taken, as of two updates at once.
ANSWER: Final = f"""
UPDATE licenses_presentingcode c SET answered_at = asked.now,
    state = CASE WHEN asked.agrees THEN '{STEPS[Command.CONFIRM].after}' ELSE '{STEPS[Command.REFUSE].after}' END,
    read_until = CASE WHEN asked.agrees THEN asked.now + {seconds(READ_LASTS)} END,
    given = CASE WHEN asked.agrees THEN coalesce(asked.given, {_ALL_ASKED}) END
FROM (
    SELECT asked.*, asked.command = '{Command.CONFIRM}' AS agrees, session.id AS session_id
    FROM json_to_recordset(<<orders>>) AS asked (place integer, command text, token bytea, now timestamptz, uid uuid, given jsonb)
    CROSS JOIN LATERAL {_session_of("asked.token", "asked.now")} WHERE {few(Command.CONFIRM, Command.REFUSE)}) AS asked
WHERE c.uid = asked.uid AND c.session_id = asked.session_id AND {may_do(Command.CONFIRM, "c", "asked.now")}
RETURNING asked.place, coalesce(c.read_until, c.answered_at)"""

ANSWER_LASTS_SQL: Final = seconds(ANSWER_LASTS)
