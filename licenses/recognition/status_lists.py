"""Status lists of other nodes (异地状态清单): fetched from where they are published, checked against the node's keys, and kept.

A list that does not hold is not kept; the one before stays and grows stale, which every answer says.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from core.errors import Unavailable
from licenses.models import ListName, NodeStatusList, TrustedNode
from licenses.recognition import transport, trust
from licenses.recognition.receiving import checks_of
from licenses.status.checker import NotGenuine, StatusList, read_list

logger = logging.getLogger(__name__)

PATH: Final = "/openapi/v1/license-status/{}"
LARGEST: Final = 4_000_000
OK: Final = 200
CLOCKS_DIFFER: Final = timedelta(minutes=5)
GOOD_FOR: Final = timedelta(hours=24)  # whatever a list says of itself: one older than a day vouches for nothing


def fetch_all(*, now: datetime) -> int:
    """Fetch both lists of every node that is trusted and reached; return how many were kept."""
    nodes = trust.reached(now).prefetch_related("keys")
    return sum(fetch(node=node, name=name, now=now) for node in nodes for name in ListName.values)


def fetch(*, node: TrustedNode, name: str, now: datetime) -> bool:
    """Fetch one list; return whether it holds and was kept."""
    try:
        status, told = transport.current().get(node, PATH.format(name))
    except Unavailable:
        return False
    return status == OK and keep(node=node, name=name, told=told, now=now)


@transaction.atomic
def keep(*, node: TrustedNode, name: str, told: Any, now: datetime) -> bool:
    """Keep a list as it was published when a key of the node that counts has signed it and it is not older than what we have."""
    content = json.dumps(told, ensure_ascii=False)
    checks = checks_of(node, now)
    try:
        if len(content) > LARGEST:
            raise NotGenuine("the list is too large")
        found = read_list(content.encode(), lambda key, message, signature: checks(key.rpartition("-")[2], message, signature))
        built_at, valid_until = _times(found, now)
    except NotGenuine as error:
        logger.warning("the status list %s of node %s was not kept: %s", name, node.code, error)
        return False
    known = NodeStatusList.objects.select_for_update().filter(node=node, name=name).first()
    if found.said["list"] != name or (known is not None and known.built_at > built_at):
        return False
    NodeStatusList.objects.update_or_create(
        node=node,
        name=name,
        defaults={"content": content, "built_at": built_at, "valid_until": valid_until, "fetched_at": now},
    )
    return True


def _times(found: StatusList, now: datetime) -> tuple[datetime, datetime]:
    """Return when a list was built and until when it is good: not from the future, where it would outlive every later one."""
    try:
        built_at, valid_until = (datetime.fromisoformat(found.said[name]) for name in ("built_at", "valid_until"))
    except (ValueError, TypeError):
        raise NotGenuine("its times cannot be read") from None
    if built_at.tzinfo is None or valid_until.tzinfo is None or built_at > now + CLOCKS_DIFFER:
        raise NotGenuine("it was not built in the past")
    return built_at, min(valid_until, built_at + GOOD_FOR)
