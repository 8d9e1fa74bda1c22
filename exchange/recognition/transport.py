"""Reaching other license nodes (节点通道): over HTTP(S), with the white list, the limits and the breaker of every source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext as _

from core.errors import Unavailable
from exchange.calls.refusals import Refusal
from exchange.sources import http
from exchange.sources.guard import guard_of
from licenses.models import TrustedNode

TIMEOUT_MS: Final = 20_000
AT_ONCE: Final = 4


class HttpTransport:
    """See `licenses.recognition.transport.Transport`."""

    def post(self, node: TrustedNode, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Send a JSON body."""
        return self._guarded(node, lambda: http.send("POST", _url(node, path), headers={}, timeout_ms=TIMEOUT_MS, body=body))

    def get(self, node: TrustedNode, path: str) -> tuple[int, Any]:
        """Ask for a JSON document."""
        return self._guarded(node, lambda: http.send("GET", _url(node, path), headers={}, timeout_ms=TIMEOUT_MS))

    def _guarded(self, node: TrustedNode, work: Callable[[], http.Reply]) -> tuple[int, Any]:
        uid = str(node.uid)
        try:
            reply = guard_of("upstream", uid).run(work, uid=uid, at_once=AT_ONCE)
        except Refusal as refusal:
            reason = refusal.details.get("source", refusal.code)
            text = _("节点“%(node)s”暂时无法访问（%(reason)s），请稍后再试。") % {"node": node.name, "reason": reason}
            raise Unavailable("recognition.unreachable", text, {"reason": reason}) from None
        return reply.status, reply.document


def _url(node: TrustedNode, path: str) -> str:
    return f"{node.endpoint.rstrip('/')}{path}"
