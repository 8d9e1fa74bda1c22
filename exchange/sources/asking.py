"""Form of a question to a source outside (请求参数): the same bodies as for base data, the key as the source wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from basedb.lookup import Selection
from exchange.calls import parts, shape
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Question
from exchange.calls.values import text
from exchange.sources.terms import LONGEST_KEY, Remote, read_key
from exchange.systems import key_ring

# Batches, sources and scores are the base databases'.
PARAMETERS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "QUERY": shape.PARAMETERS["QUERY"],
    "VERIFY": (("key", "attributes"), ("context", "parameters")),
}


def read_question(body: bytes, mode: str, selection: Selection, remote: Remote) -> Question:
    """Return the question in a body, or refuse with what is wrong with each parameter."""
    given = shape.read_parameters(body, *PARAMETERS[mode])
    key = _read_key(given["key"], remote)
    question = Question(selection, key_ring().subject_key(key), context=shape.context_of(given), key=key)
    if mode == "QUERY":
        return replace(question, selection=shape.narrowed_to(selection, given))
    asked = parts.read_attributes(given["attributes"])
    return replace(question, selection=parts.granted(selection, list(asked)), values=tuple(asked.values()))


def _read_key(value: Any, remote: Remote) -> str:
    name = remote.key_name
    if not isinstance(value, dict) or list(value) != [name]:
        raise Refusal("call.invalid_parameter", {"key": f"must_be_an_object_with_{name}"})
    try:
        return read_key(remote.key_kind, text(value[name], f"key.{name}", LONGEST_KEY))
    except ValueError:
        raise Refusal("call.invalid_parameter", {f"key.{name}": "not_a_valid_identifier"}) from None
