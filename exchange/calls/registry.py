"""Keys and grants as this process remembers them (凭证与授权缓存): a few seconds, never longer.

A remembered grant is checked again by the statement that reads the data, under its version; what is remembered here only
saves work. Absent keys and grants are remembered as well, in bounded number.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any, Final, Generic, TypeVar

from django.conf import settings

from basedb.lookup import Selection, select
from core.crypto import HmacAlgorithm, Sealed
from core.signing import PublicKey
from exchange.calls import connections
from exchange.calls.terms import Caller, Conditions, Terms
from exchange.evidence.lag import lag_sql
from exchange.granting.sensitivity import VERIFY_ONLY_SQL
from exchange.models import Chain
from exchange.sources import places
from exchange.sources.selecting import selected
from exchange.sources.terms import is_remote
from exchange.systems import associated_data, key_ring

REMEMBERED_AT_MOST: Final = 4_096
RENEWED_EVERY_SECONDS: Final = 1.0

CREDENTIAL: Final = """
SELECT c.id, c.algorithm, c.state = 'REVOKED', c.valid_from, c.valid_to, s.id, s.department_id, s.is_active,
       c.secret_key_id, c.secret_nonce, c.secret_ciphertext, c.public_key
FROM exchange_credential c JOIN exchange_consumersystem s ON s.id = c.system_id WHERE c.key = <<key>>"""
TERMS: Final = f"""
SELECT g.id, g.version, g.system_id, g.resource_id, r.provider_id, g.mode, g.state, g.valid_from, g.valid_to,
       g.quota_per_day, g.quota_per_second, g.region_prefix, g.fields, g.masks,
       g.row_filter, g.control_parameters, g.matters, g.ip_list,
       r.state <> 'WITHDRAWN' AND r.share_attribute <> 'WITHHELD' AND NOT EXISTS (
           SELECT 1 FROM catalog_dataitem i WHERE i.resource_id = r.id AND i.is_withheld AND i.name = ANY (g.fields)),
       b.dataset, b.columns,
       r.grade IN ('L3', 'L4') AND {lag_sql(Chain.CALLS)} > <<lag_limit>>, g.uid::text,
       g.mode <> 'VERIFY' AND {VERIFY_ONLY_SQL}, r.share_attribute = 'CONDITIONAL'
FROM exchange_grant g JOIN catalog_resource r ON r.id = g.resource_id LEFT JOIN catalog_binding b ON b.resource_id = r.id
"""
GRANT: Final = f"{TERMS} WHERE g.uid = <<uid>>"
GRANTS: Final = f"{TERMS} WHERE g.system_id = <<system>> AND r.provider_id = <<provider>> ORDER BY g.id"


Thing = TypeVar("Thing")


class Memory(Generic[Thing]):
    """Things by name for a few seconds, absence included. Threads may load the same thing at once; the last one stays."""

    def __init__(self, load: Callable[[str], Thing | None]) -> None:
        self._load = load
        self._known: dict[str, tuple[float, Thing | None]] = {}  # name -> when it was loaded, what it was

    def get(self, name: str) -> Thing | None:
        """Return what is remembered, or what the database says now."""
        return self._younger_than(settings.GRANT_CACHE_SECONDS, name)

    def renew(self, name: str) -> Thing | None:
        """Return what the database says, asked a second ago at most: before a refusal, which may have been lifted."""
        return self._younger_than(RENEWED_EVERY_SECONDS, name)

    def _younger_than(self, seconds: float, name: str) -> Thing | None:
        remembered = self._known.get(name)
        if remembered is not None and remembered[0] + seconds > time.monotonic():
            return remembered[1]
        return self.reload(name)

    def reload(self, name: str) -> Thing | None:
        """Ask the database and remember its answer."""
        thing = self._load(name)
        if len(self._known) >= REMEMBERED_AT_MOST:
            self._known.clear()
        self._known[name] = (time.monotonic(), thing)
        return thing

    def forget(self) -> None:
        """Remember nothing."""
        self._known.clear()


def _load_caller(key: str) -> Caller | None:
    row = connections.run(CREDENTIAL, (("key", "text"),), {"key": key})
    if row is None:
        return None
    algorithm = HmacAlgorithm(row[1]) if row[11] is None else PublicKey.from_der(bytes(row[11]))
    secret = b"" if row[11] is not None else key_ring().open(Sealed(row[8], bytes(row[9]), bytes(row[10])), associated_data(key))
    return Caller(
        credential_id=row[0],
        key=key,
        secret=secret,
        algorithm=algorithm,
        is_revoked=row[2],
        valid_from=row[3],
        valid_to=row[4],
        system_id=row[5],
        department_id=row[6],
        is_active=row[7],
    )


def _load_terms(uid: str) -> Terms | None:
    values = {"uid": uid, "lag_limit": settings.SEAL_LAG_LIMIT_SECONDS}
    row = connections.run(GRANT, (("uid", "uuid"), ("lag_limit", "float8")), values)
    return compiled(row) if row else None


def terms_of(uid: str, run: Callable[..., list[connections.Row]]) -> Terms | None:
    """Return a grant as the database has it now, asked by another way than the connection of calls."""
    values = {"uid": uid, "lag_limit": settings.SEAL_LAG_LIMIT_SECONDS}
    found = run(GRANT, (("uid", "uuid"), ("lag_limit", "float8")), values)
    return compiled(found[0]) if found else None


def terms_between(system_id: int, provider_id: int) -> list[Terms]:
    """Return all grants of a system on the resources of a provider, as the database has them now; one statement."""
    values = {"system": system_id, "provider": provider_id, "lag_limit": settings.SEAL_LAG_LIMIT_SECONDS}
    found = connections.rows(GRANTS, (("system", "bigint"), ("provider", "bigint"), ("lag_limit", "float8")), values)
    return [compiled(row) for row in found]


def compiled(row: connections.Row) -> Terms:
    """Return the grant a row of `TERMS` tells of."""
    grant_id, version, system_id, resource_id, provider_id, mode, state, valid_from, valid_to = row[:9]
    per_day, per_second, region_prefix, fields, masks, row_filter = row[9:15]
    is_served, dataset, columns, is_unsealed, uid, is_too_sensitive, is_conditional = row[18:]
    masks, row_filter, columns = _json(masks), _json(row_filter), _json(columns)
    conditions, is_readable = _conditions(_json(row[15]), *row[16:18])
    remote = places.load(dataset) if dataset and is_remote(dataset) else None
    if dataset and is_remote(dataset):
        selection, lists = selected(
            remote,
            dataset=dataset,
            mode=mode,
            fields=fields,
            columns=columns,
            masks=masks,
            row_filter=row_filter,
            region_prefix=region_prefix,
        )
    else:
        selection, lists = _selection(dataset, fields, columns, masks, row_filter, is_conditional=is_conditional)
    return Terms(
        grant_id=grant_id,
        uid=uid,
        version=version,
        system_id=system_id,
        resource_id=resource_id,
        provider_id=provider_id,
        mode=mode,
        state=state,
        valid_from=valid_from,
        valid_to=valid_to,
        quota_per_day=per_day,
        quota_per_second=per_second,
        region_prefix=region_prefix,
        fields=tuple(fields),
        selection=selection if is_served and is_readable and not is_too_sensitive else None,
        is_too_sensitive=is_too_sensitive,
        is_unsealed=is_unsealed,
        lists=lists,
        conditions=conditions,
        remote=remote,
    )


def _json(value: Any) -> Any:
    """Return a JSON value; connections of Django hand it over as text."""
    return json.loads(value) if isinstance(value, str) else value


def _selection(
    dataset: str | None, fields: list[str], columns: Any, masks: Any, row_filter: Any, *, is_conditional: bool
) -> tuple[Selection | None, tuple[tuple[str, ...], ...]]:
    """Return what may be read, and the values of its row filter; nothing when a part of it cannot be understood."""
    try:
        kinds = [rule["kind"] for rule in row_filter]
        if set(kinds) - {"list", "own_clients"}:
            return None, ()
        listed = [rule for rule in row_filter if rule["kind"] == "list"]
        lists = tuple(tuple(str(value) for value in rule["values"]) for rule in listed)
        selection = select(
            dataset=dataset or "",
            items=fields,
            columns=columns or {},
            masks=masks or {},
            listed=[rule["item"] for rule in listed],
            is_members_only="own_clients" in kinds,
            has_natural_persons=is_conditional,  # nobody is asked for unconditional sharing
        )
    except (ValueError, TypeError, KeyError):
        return None, ()
    return selection, lists


def _conditions(parameters: Any, matters: Any, addresses: Any) -> tuple[Conditions | None, bool]:
    """Return what every call must meet, if anything, and whether it could be understood."""
    if not (parameters or matters or addresses):
        return None, True
    try:
        allowed = {name: frozenset(values) for name, values in parameters.items()}
        return Conditions(tuple(map(ip_network, addresses)), allowed, frozenset(matters)), True
    except (ValueError, TypeError, AttributeError):
        return None, False


callers: Final = Memory(_load_caller)
grants: Final = Memory(_load_terms)
