"""Reading a body (请求体): JSON objects without doubled names, plain texts of bounded length; no value is ever repeated.

What the parameters mean is not decided here.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from exchange.calls.refusals import Refusal

VALUE_AT_MOST: Final = 500
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffd\ud800-\udfff]")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    given = dict(pairs)
    if len(given) != len(pairs):
        raise ValueError("a name stands twice")
    return given


DECODER: Final = json.JSONDecoder(object_pairs_hook=_once)


def read_object(body: bytes) -> dict[str, Any]:
    """Return the one JSON object of a body; an empty body is an empty object."""
    try:
        given = DECODER.decode(body.decode() or "{}")
    except (ValueError, RecursionError):
        raise Refusal("call.invalid_parameter", {"body": "not_json"}) from None
    if not isinstance(given, dict):
        raise Refusal("call.invalid_parameter", {"body": "not_an_object"})
    return given


def printable(name: str) -> str:
    """Return a caller's name of a parameter as it may be told back."""
    return CONTROL.sub("?", name[:40])


def text(value: Any, name: str, at_most: int = VALUE_AT_MOST) -> str:
    """Return a plain text of bounded length."""
    if isinstance(value, str) and 0 < len(value) <= at_most and not CONTROL.search(value):
        return value
    why = "control_character"
    if not isinstance(value, str):
        why = "not_a_string"
    elif not 0 < len(value) <= at_most:
        why = "empty_or_too_long"
    raise Refusal("call.invalid_parameter", {printable(name): why})
