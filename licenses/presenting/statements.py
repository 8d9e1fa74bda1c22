"""The statements of the holder's side (亮证语句): each is one transaction by itself, so that both doors share them.

Which states a command starts from and until when stands in `workflow`. A statement that finds nothing is explained by its caller.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from licenses.presenting.workflow import ANSWER_LASTS, CODE_LIVES, READ_LASTS, STEPS, Command

CODES_AT_MOST: Final = 60  # of one holder within ten minutes
LEAST_ASSURANCE: Final = 2

AT: Final = (("token", "bytea"), ("now", "timestamptz"))
CREATE_VALUES: Final = (*AT, ("uid", "uuid"), ("digest", "bytea"), ("chosen", "text[]"))
ANSWER_VALUES: Final = (*AT, ("uid", "uuid"), ("given", "jsonb"))


def seconds(duration: timedelta) -> str:
    """Return a duration as an SQL interval."""
    return f"interval '{int(duration.total_seconds())} seconds'"


def not_blocked(*keys: str) -> str:
    """Whether none of these holders is stopped."""
    return f"NOT EXISTS (SELECT FROM licenses_holderblock b WHERE b.subject_key IN ({', '.join(keys)}) AND b.lifted_at IS NULL)"


def may_do(command: Command, code: str) -> str:
    """Whether a command may be given to a code now."""
    step = STEPS[command]
    return f"{code}.state = '{step.before}' AND {code}.{step.until} > <<now>>"


SESSION: Final = f"""(
    SELECT s.id, s.uid, s.subject_key, s.subject_kind, s.person_key, s.expires_at, s.assurance, s.agent_id,
        coalesce(a.type_codes, '{{}}'::varchar[]) AS type_codes
    FROM licenses_holdersession s LEFT JOIN licenses_enterpriseagent a ON a.id = s.agent_id
    WHERE s.token_digest = <<token>> AND s.ended_at IS NULL AND s.expires_at > <<now>> AND s.assurance >= {LEAST_ASSURANCE}
      AND (s.agent_id IS NULL OR (a.revoked_at IS NULL AND a.period @> (<<now>> AT TIME ZONE 'Asia/Shanghai')::date))
      AND {not_blocked("s.subject_key", "s.person_key")}
) AS session"""

FIND: Final = f"SELECT id, uid, subject_key, subject_kind, person_key, expires_at, assurance, agent_id, type_codes FROM {SESSION}"

CREATE: Final = f"""
INSERT INTO licenses_presentingcode (uid, digest, session_id, subject_key, subject_kind, chosen, type_codes, state, created_at,
    expires_at, system_name, department_name, matter, matter_title, purpose, basis, asked, rescans)
SELECT <<uid>>, <<digest>>, session.id, session.subject_key, session.subject_kind, <<chosen>>::varchar[], session.type_codes,
    'CREATED', <<now>>, <<now>> + {seconds(CODE_LIVES)}, '', '', '', '', '', '', '[]'::jsonb, 0
FROM {SESSION}
WHERE NOT EXISTS (
    SELECT FROM licenses_presentingcode c WHERE c.subject_key = session.subject_key
    AND c.created_at > <<now>> - interval '10 minutes' ORDER BY c.id DESC OFFSET {CODES_AT_MOST - 1})
RETURNING uid, expires_at"""

_ALL_ASKED: Final = """(SELECT coalesce(jsonb_agg(jsonb_build_object('row', one -> 'row', 'items',
    (SELECT coalesce(jsonb_agg(item -> 'name'), '[]') FROM jsonb_array_elements(one -> 'items') AS item))), '[]')
    FROM jsonb_array_elements(c.asked) AS one)"""

CONFIRM: Final = f"""
UPDATE licenses_presentingcode c SET state = '{STEPS[Command.CONFIRM].after}', answered_at = <<now>>,
    read_until = <<now>> + {seconds(READ_LASTS)}, given = coalesce(<<given>>, {_ALL_ASKED})
FROM {SESSION} WHERE c.uid = <<uid>> AND c.session_id = session.id AND {may_do(Command.CONFIRM, "c")}
RETURNING c.uid, c.read_until"""

REFUSE: Final = f"""
UPDATE licenses_presentingcode c SET state = '{STEPS[Command.REFUSE].after}', answered_at = <<now>>, given = <<given>>
FROM {SESSION} WHERE c.uid = <<uid>> AND c.session_id = session.id AND {may_do(Command.REFUSE, "c")}
RETURNING c.uid, c.answered_at"""

ANSWER_LASTS_SQL: Final = seconds(ANSWER_LASTS)
