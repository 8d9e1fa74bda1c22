"""An HTTP(S) interface as a source (上级接口): the question is put into the form it wants, its answer read by pointers.

Only granted items are ever read out of an answer, each under its mask; the rest is dropped unread. How an answer says yes,
nobody or no is data of the interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from basedb.masking import Mask, mask_value
from exchange.calls.refusals import Refusal
from exchange.national import client as national
from exchange.sources import http, pointers
from exchange.sources.terms import Asked, Interface

AUTHORIZATION_ENDED: Final = frozenset({401, 403})


class UpstreamCall:
    """See `terms.Source`."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface

    def read(self, asked: Asked) -> dict[str, str | None] | None:
        """Return the granted items of the answer."""
        document = self._record(asked)
        if document is None:
            return None
        found = {}
        for column in asked.selection.columns:
            pointer = self._interface.pointers.get(column.field)
            if pointer is None:
                raise Refusal("upstream.refused", {"source": "column_not_mapped"})
            found[column.item] = mask_value(column.mask, pointers.text_at(document, pointer))
        return found

    def verify(self, asked: Asked) -> tuple[bool, dict[str, str]]:
        """Compare the answer here and forget it."""
        document = self._record(asked)
        if document is None:
            return False, dict.fromkeys(asked.selection.items, "not_available")
        result = {}
        for column, value in zip(asked.selection.columns, asked.values, strict=True):
            is_hidden = column.mask is Mask.HIDDEN  # a comparison must not tell of it, either
            stored = None if is_hidden else pointers.text_at(document, self._interface.pointers[column.field])
            result[column.item] = "not_available" if stored is None else "yes" if stored == value else "no"
        return True, result

    def exchange(self, given: Mapping[str, str]) -> Any:
        """Send the named values in the interface's form; return the answer's document, None when it says that there is nobody."""
        sent = self._parameters(given)
        account = self._interface.account
        reply = self._sent(sent, self._headers())
        if account and account.auth == "NATIONAL" and self._is_expired(reply):
            fresh = national.headers_after_refusal(account, self._interface.sid)
            reply = self._sent(sent, fresh) if fresh else reply
        return self._judged(reply)

    def knock(self) -> None:
        """Ask for nobody, to see whether the interface answers and knows us; what it answers is not judged."""
        reply = self._sent(self._parameters({"key": "TEST", "call_id": "TEST"}), self._headers())
        if reply.status in AUTHORIZATION_ENDED or self._code(reply) == national.NOT_AUTHORIZED:
            raise Refusal("upstream.refused", {"source": "not_in_the_authorized_list"})

    def _record(self, asked: Asked) -> Any:
        return self.exchange({"key": asked.key, "call_id": asked.call_id})

    def _sent(self, sent: dict[str, dict[str, str]], headers: dict[str, str]) -> http.Reply:
        place = self._interface
        return http.send(
            place.method,
            place.url,
            headers=headers,
            timeout_ms=place.timeout_ms,
            body=sent["body"] if place.method == "POST" else None,
            query=sent["query"],
        )

    def _headers(self) -> dict[str, str]:
        account = self._interface.account
        if account is None:
            return {}
        if account.auth == "HEADER":
            return {account.header_name: account.secret}
        return national.headers(account, self._interface.sid)

    def _parameters(self, given: Mapping[str, str]) -> dict[str, dict[str, str]]:
        sent: dict[str, dict[str, str]] = {"body": {}, "query": {}}
        for name, part in self._interface.request_map.items():
            sent[part["in"]][name] = given.get(part["from"], part.get("value", ""))
        return sent

    def _is_expired(self, reply: http.Reply) -> bool:
        told = self._interface.answer_map
        return reply.status in AUTHORIZATION_ENDED or self._code(reply) in told.get("expired", ["-1"])

    def _code(self, reply: http.Reply) -> str | None:
        return pointers.text_at(reply.document, self._interface.answer_map.get("code", "/code"))

    def _judged(self, reply: http.Reply) -> Any:
        told = self._interface.answer_map
        code = self._code(reply)
        if reply.status == 404 and "404" in told.get("none", []):
            return None
        if reply.status >= 300:
            raise Refusal("upstream.refused", {"source": f"http_{reply.status}"})
        if told.get("ok"):
            if code in told.get("none", []):
                return None
            if code == national.NOT_AUTHORIZED and code not in told["ok"]:
                raise Refusal("upstream.refused", {"source": "not_in_the_authorized_list"})
            if code not in told["ok"]:
                raise Refusal("upstream.refused", {"source": "code_not_accepted"})
        record = pointers.at(reply.document, told.get("record", ""))
        return None if record in (pointers.MISSING, None, [], {}, "") else reply.document
