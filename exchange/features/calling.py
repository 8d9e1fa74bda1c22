"""Map services for consumer systems (图层调用): operations of a call, each answered by the one statement that records it.

Signature, standing, grant, quota and the record are those of every call; the grant is the layer. The query string is part of
what is signed. A tile the client already has is recorded like any other and answered 304.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from basedb.lookup import Selection
from exchange.calls import statement
from exchange.calls.company import Found, Row
from exchange.calls.operations import JSON, Lookup, Served
from exchange.calls.refusals import Refusal
from exchange.calls.shape import context_of
from exchange.calls.terms import Incoming, Question, Signed, Terms
from exchange.calls.trip import Trips
from exchange.features import statements
from exchange.features.layers import Layer, layer_of
from exchange.features.reading import READERS, Reading, etag_of

MISSING = Refusal("features.not_found")
_TRIPS: Final = Trips(at_most=8)  # a page of a hundred features takes a millisecond or more
TILE_CACHE = "private, no-cache"  # a copy is asked about every time, so that a revoked grant shows at once


class ReadLayer(Lookup):
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

    @property
    def trips(self) -> Trips | None:
        """Who goes with whom: what reads about as much as it answers; tiles, filters and counts hold up nobody else."""
        return _TRIPS if self._reading and self._reading.is_light else None

    def row(self, signed: Signed, terms: Terms, question: Question, quota_left: int) -> Row:
        """Return what the call brings to its statement."""
        layer, reading = self._layer, self._reading
        if layer is None or reading is None:
            raise Refusal("platform.unavailable")
        template = statements.recorded(reading.sql, reading.parameters, layer, is_text=reading.is_text)
        values = statement.call_values(signed, terms, question, quota_left) | reading.values
        if "missing" in values:
            values["missing"] = json.dumps(MISSING.told(signed.call_id), ensure_ascii=False)
        return Row(template, terms.lists, values)

    def served(self, found: Found) -> Served:
        """Return the answer in what the statement told."""
        reading = self._reading
        if reading is None:
            raise Refusal("platform.unavailable")
        body, digest, row_count = bytes(found[0]), found[1].decode(), found[2]
        headers = list(reading.headers)
        served = Served(body, row_count=row_count, content_type=reading.content_type, headers=headers, digest=digest)
        if reading.is_text:
            is_missing = "missing" in reading.values and row_count == 0
            return replace(served, status=MISSING.verdict.status, content_type=JSON, headers=[]) if is_missing else served
        tag = etag_of(digest)
        served = replace(served, headers=[("ETag", tag)], cache=TILE_CACHE)
        return replace(served, status=304, body=b"") if tag in self._call.if_none_match else served
