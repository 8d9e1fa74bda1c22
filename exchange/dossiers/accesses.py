"""The newest uses of a subject's data (使用记录): calls and opened dossiers together, in one query."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection

from exchange.accesses import DOSSIER, DOSSIER_OPENED
from exchange.finding import BY_FILTER
from exchange.statistics import sides

MOST: Final = 20
# Read as `finding` reads them: by Bloom filter and by array of keys, never by time alone. An opening is noted under every number
# it concerns and told once.
_SQL: Final = f"""{BY_FILTER};
WITH found AS MATERIALIZED (
    SELECT requested_at, consumer_id, call_id FROM (
        SELECT requested_at, consumer_id, call_id FROM exchange_callrecord
        WHERE subject_key = ANY (%(keys)s) AND outcome = ANY (%(answered)s)
        UNION ALL
        SELECT requested_at, consumer_id, call_id FROM exchange_callsubjects WHERE subject_keys && %(uuids)s::uuid[]
    ) each ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT %(most)s
), uses AS (
    SELECT r.requested_at AS at, r.department_id, '' AS department, g.purpose, coalesce(r.matter, '') AS matter, r.mode
    FROM found f JOIN exchange_callrecord r USING (requested_at, consumer_id, call_id)
    LEFT JOIN exchange_grant g ON g.id = r.grant_id
    UNION ALL
    SELECT DISTINCT * FROM (
        SELECT a.at, a.actor_department_id, a.actor_department, a.detail ->> 'reason', a.detail ->> 'matter', 'DOSSIER'
        FROM core_auditentry a WHERE a.object_uid = ANY (%(digests)s) AND a.object_kind = %(object)s AND a.action = %(opened)s
        ORDER BY a.id DESC LIMIT 2 * %(most)s) opened
)
SELECT u.at, coalesce(d.name, u.department), coalesce(u.purpose, ''), u.matter, u.mode
FROM uses u LEFT JOIN core_department d ON d.id = u.department_id ORDER BY u.at DESC LIMIT %(most)s"""


@dataclass(frozen=True, slots=True)
class Use:
    """One use: of a call `purpose` is its grant's, of a dossier the code of the reason it was opened for."""

    at: datetime
    department: str
    purpose: str
    matter: str
    mode: str

    @property
    def is_dossier(self) -> bool:
        """Whether somebody looked into the dossier itself."""
        return self.mode == "DOSSIER"


def newest_uses(keys: Collection[bytes]) -> list[Use]:
    """Return the newest uses. Its planner settings last until the transaction ends: ask it last."""
    digests = [key.hex() for key in keys]
    values: dict[str, Any] = {"keys": list(keys), "uuids": digests, "digests": digests, "most": MOST}
    with connection.cursor() as cursor:
        cursor.execute(_SQL, values | {"answered": list(sides.ANSWERED), "object": DOSSIER, "opened": DOSSIER_OPENED})
        return [Use(*row) for row in cursor.fetchall()]
