"""Map services for consumer systems (图层调用): operations of a call, each answered by the one statement that records it.

Signature, standing, grant, quota and the record are those of every call; the grant is the layer. The query string is part of
what is signed. A tile the client already has is recorded like any other and answered 304.
"""

from __future__ import annotations

import json
from dataclasses import replace

from basedb.lookup import Selection
from exchange.calls import connections, statement
from exchange.calls.operations import JSON, Served
from exchange.calls.refusals import Refusal
from exchange.calls.shape import context_of
from exchange.calls.terms import Incoming, Question, Signed, Terms
from exchange.features import statements
from exchange.features.layers import Layer, layer_of
from exchange.features.reading import READERS, Reading, etag_of

MISSING = Refusal("features.not_found")
TILE_CACHE = "private, no-cache"  # a copy is asked about every time, so that a revoked grant shows at once


class ReadLayer:
    """One request for features or a tile of the layer a grant is about."""

    is_order = True

    def __init__(self, call: Incoming) -> None:
        self._call = call
        self._layer: Layer | None = None
        self._reading: Reading | None = None

    def read(self, body: bytes, selection: Selection) -> Question:
        """Return the question a query string asks; the body of a GET is empty."""
        if body:
            raise Refusal("features.invalid_parameter", {"body": "not_expected"})
        layer = layer_of(selection)
        if layer is None:
            raise Refusal("features.not_a_layer")
        call = self._call
        self._layer = layer
        self._reading = READERS[call.operation](layer, call.grant_uid, call.place, call.query)
        return Question(selection, None, context=context_of(self._reading.asked.context))

    def read_and_record(self, signed: Signed, terms: Terms, question: Question, quota_left: int) -> Served | None:
        """Return the answer, recorded and committed; None when the grant has changed."""
        layer, reading = self._layer, self._reading
        if layer is None or reading is None:
            raise Refusal("platform.unavailable")
        template = statements.recorded(reading.sql, layer, is_text=reading.is_text)
        reach = statements.reach_parameters(len(terms.lists))
        values = statement.terms_values(signed, terms, question, quota_left) | reading.values
        if "missing" in values:
            values["missing"] = json.dumps(MISSING.told(signed.call_id), ensure_ascii=False)
        row = statement.run(template, (*statements.CALL_PARAMETERS, *reach, *reading.parameters), values)
        if row is None:
            return None
        return self._served(reading, row)

    def _served(self, reading: Reading, row: connections.Row) -> Served:
        body, digest, row_count = row
        served = Served(
            body.encode() if reading.is_text else bytes(body),
            row_count=row_count,
            content_type=reading.content_type,
            headers=list(reading.headers),
            digest=digest,
        )
        if reading.is_text:
            is_missing = "missing" in reading.values and row_count == 0
            return replace(served, status=MISSING.verdict.status, content_type=JSON, headers=[]) if is_missing else served
        tag = etag_of(digest)
        served = replace(served, headers=[("ETag", tag)], cache=TILE_CACHE)
        return replace(served, status=304, body=b"") if tag in self._call.if_none_match else served
