"""The consumer's own limits (使用方登记): the addresses its calls come from, and the people or entities it serves.

The client list is read from a CSV of identifiers, of which only keyed digests are kept. Under the row rule "own clients"
nobody else is answered about; until a list is loaded, nobody at all.
"""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS
from basedb.lookup import read_key
from core.audit import Actor
from core.errors import Conflict, Invalid
from core.texts import listed
from exchange.granting.grant_workflow import GrantCommand, decide_grant
from exchange.granting.grants import locked_grant, standing_within_term, tell, write_change
from exchange.granting.limits import address_fault, networks
from exchange.granting.narrowing import addresses_within
from exchange.models import Grant, GrantSubject
from exchange.querysets import seats_on_grant
from exchange.subject_tokens import tokens_of
from exchange.systems import key_ring

CLIENTS_AT_MOST = 100_000
FAULTS_NAMED = 20
LONGEST_LINE = 100


@transaction.atomic
def limit_addresses(
    *, grant_uid: UUID, addresses: Sequence[str], actor: Actor, now: datetime, revision: int | None = None
) -> Grant:
    """Set the addresses a grant may be called from for the first time, or make the list narrower."""
    grant = locked_grant(grant_uid, actor, revision)
    decide_grant(standing_within_term(grant, now), GrantCommand.LIMIT_ADDRESSES, seats_on_grant(actor, grant))
    fault = address_fault(addresses) or ("" if addresses else _("请至少填写一个地址。"))
    if not fault and not addresses_within(grant.ip_list, addresses):
        fault = _("新的地址须在已登记的范围之内；需要增加地址请重新申请。")
    if fault:
        raise Invalid("grant.addresses", fault, {"ip_list": fault})
    grant.ip_list = [str(network) for network in networks(addresses)]
    write_change(grant, GrantCommand.LIMIT_ADDRESSES, actor=actor, now=now, reason="")
    tell(
        grant, actor, now, title=_("来源地址已登记：%(grant)s") % {"grant": grant}, body=_("共 %(n)s 条。") % {"n": len(addresses)}
    )
    return grant


@transaction.atomic
def load_clients(*, grant_uid: UUID, lines: Iterable[str], actor: Actor, now: datetime, revision: int | None = None) -> Grant:
    """Replace the list of a grant's clients by the identifiers of a CSV, one a line. Invalid names the lines at fault."""
    grant = locked_grant(grant_uid, actor, revision)
    decide_grant(standing_within_term(grant, now), GrantCommand.LOAD_CLIENTS, seats_on_grant(actor, grant))
    dataset = _dataset(grant)
    tokens = _read_keys(lines, dataset, tokens_of(grant))
    keys = tokens.keys()
    grant.client_count = len(keys)
    grant.client_digest = hashlib.sha256(b"".join(sorted(keys))).hexdigest()
    GrantSubject.objects.filter(grant=grant).delete()
    rows = (GrantSubject(grant=grant, subject_key=key, token=token) for key, token in tokens.items())
    GrantSubject.objects.bulk_create(rows, batch_size=5_000)
    write_change(grant, GrantCommand.LOAD_CLIENTS, actor=actor, now=now, reason="", clients=grant.client_count)
    body = _("共 %(n)s 个服务对象。") % {"n": grant.client_count}
    tell(grant, actor, now, title=_("服务对象清单已更新：%(grant)s") % {"grant": grant}, body=body)
    return grant


def lines_of(file: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a file as text; bytes that are not UTF-8 make a line that is no identifier."""
    return codecs.iterdecode(file, "utf-8-sig", errors="replace")


def has_own_clients(grant: Grant) -> bool:
    """Return whether the grant answers about the consumer's own clients only."""
    return any(rule.get("kind") == "own_clients" for rule in grant.row_filter)


def _dataset(grant: Grant) -> str:
    if not has_own_clients(grant):
        raise Conflict("grant.no_client_list", _("这项授权不按服务对象清单过滤，不需要登记。"))
    binding = getattr(grant.resource, "binding", None)
    if binding is None or binding.dataset not in DATASETS:
        raise Conflict("resource.not_mounted", _("资源尚未挂接，请提供方挂接后再登记。"))
    return str(binding.dataset)


def _read_keys(lines: Iterable[str], dataset: str, token_of: Callable[[str], bytes | None]) -> dict[bytes, bytes | None]:
    """Return subject key -> token of the identifiers; a first line that names the column is passed over, blank ones too."""
    header = DATASETS[dataset].key_field
    ring, keys, wrong = key_ring(), dict[bytes, bytes | None](), list[int]()
    for number, line in enumerate(lines, start=1):
        raw = line.strip().strip('"').strip("\ufeff")
        if not raw or (number == 1 and raw == header):
            continue
        try:
            identifier = read_key(dataset, raw[:LONGEST_LINE])
            keys[ring.subject_key(identifier)] = token_of(identifier)
        except ValueError:
            wrong.append(number)
        if len(keys) > CLIENTS_AT_MOST or len(wrong) > FAULTS_NAMED:
            break
    fault = ""
    if wrong:
        fault = _("第 %(lines)s 行不是有效的号码，清单没有保存。") % {"lines": listed(wrong[:FAULTS_NAMED])}
    elif len(keys) > CLIENTS_AT_MOST:
        fault = _("服务对象最多 %(most)s 个，清单没有保存。") % {"most": CLIENTS_AT_MOST}
    elif not keys:
        fault = _("清单里没有号码。")
    if fault:
        raise Invalid("grant.clients", fault, {"clients": fault})
    return keys
