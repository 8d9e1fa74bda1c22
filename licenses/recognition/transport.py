"""How another node is reached (节点通道): a protocol the room above fills in with its guarded requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from django.utils.translation import gettext as _

from core.errors import Unavailable
from licenses.models import TrustedNode

BATCHES = "/openapi/v1/license-exchange/batches"
QUESTIONS = "/openapi/v1/license-exchange/questions"


class Transport(Protocol):
    """Reaches a node; Unavailable when it does not answer."""

    def post(self, node: TrustedNode, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Send a JSON body; return the status and the JSON of the answer."""

    def get(self, node: TrustedNode, path: str) -> tuple[int, Any]:
        """Ask for a JSON document; return the status and it."""


class _None:
    """Stands in until a room above has said how to reach nodes."""

    def post(self, node: TrustedNode, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        raise Unavailable("recognition.no_transport", _("本节点没有配置到其他节点的通道。"))

    def get(self, node: TrustedNode, path: str) -> tuple[int, Any]:
        raise Unavailable("recognition.no_transport", _("本节点没有配置到其他节点的通道。"))


_transports: list[Transport] = [_None()]


def use(transport: Transport) -> None:
    """Reach nodes this way from now on."""
    _transports[0] = transport


def current() -> Transport:
    """Return how nodes are reached."""
    return _transports[0]
