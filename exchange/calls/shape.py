"""Form of the question (请求参数): what a body may say, checked before anything is counted or read.

Every complaint names the parameter and why; no value is ever repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from basedb.lookup import Selection, fields_of, is_fact
from exchange.calls.batch import NAMES as BATCHES
from exchange.calls.batch import read_checks, read_keys
from exchange.calls.conditions import read_parameters as read_control_parameters
from exchange.calls.context import read_context
from exchange.calls.parts import granted, read_attributes, read_compared, read_subject
from exchange.calls.refusals import Refusal
from exchange.calls.terms import NO_CONTEXT, Context, Question, Terms, Wanted
from exchange.calls.values import printable, read_object, text

BODY_AT_MOST: Final = 16_384
BATCH_AT_MOST: Final[Mapping[str, int]] = {"QUERY": 131_072, "VERIFY": 524_288}  # a thousand keys, a thousand keys with values
ROWS_AT_MOST: Final = 100  # of one subject
ROWS_OF_BATCH: Final = 10_000  # of all subjects of a call
PARAMETERS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {  # mode -> required, optional
    "QUERY": (("key",), ("fields", "context", "parameters")),
    "VERIFY": (("key", "attributes"), ("details", "score", "context", "parameters")),
    "BULK": ((), ("fields", "format", "context", "parameters")),
}
BATCH_PARAMETERS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "QUERY": (("keys",), ("fields", "context", "parameters")),
    "VERIFY": (("checks",), ("details", "score", "context", "parameters")),
}
STATE_REFUSALS: Final = {"SUSPENDED": "grant.suspended", "REVOKED": "grant.revoked"}


def check_terms(terms: Terms | None, system_id: int, mode: str, now: datetime) -> tuple[Terms, Selection]:
    """Return the grant and its selection when this system may use it this way now."""
    if terms is None or terms.system_id != system_id:
        raise Refusal("grant.not_found")
    if terms.state != "ACTIVE":
        raise Refusal(STATE_REFUSALS.get(terms.state, "grant.unusable"))
    if now < terms.valid_from:
        raise Refusal("grant.not_yet_valid")
    if now >= terms.valid_to:
        raise Refusal("grant.expired")
    if terms.mode != mode:
        raise Refusal("grant.mode_mismatch", {"mode": "not_granted"})
    if terms.selection is None:
        raise Refusal("grant.verify_only" if terms.is_too_sensitive else "grant.unusable")
    if terms.is_unsealed:
        raise Refusal("platform.unsealed")
    return terms, terms.selection


def read_question(body: bytes, mode: str, selection: Selection) -> Question:
    """Return the question in a body, or refuse with what is wrong with each parameter."""
    given = _read_whole(body)
    is_batch = BATCHES.get(mode) in given
    required, optional = (BATCH_PARAMETERS if is_batch else PARAMETERS)[mode]
    has_limit = mode == "QUERY" and is_fact(selection)
    check_names(given, required, (*optional, "limit") if has_limit else optional)
    if not is_batch:
        check_size(body, BODY_AT_MOST)
    context = context_of(given)
    if mode == "BULK":
        if given.get("format", "csv") != "csv":
            raise Refusal("call.invalid_parameter", {"format": "only_csv"})
        return Question(narrowed_to(selection, given), None, context=context)
    if mode == "QUERY":
        narrowed = narrowed_to(selection, given)
        if is_batch:
            batch = read_keys(given["keys"], narrowed)
            limit = _row_limit(given, ROWS_OF_BATCH // len(batch.keys)) if has_limit else None
            return Question(narrowed, None, context=context, batch=batch, row_limit=limit)
        limit = _row_limit(given, ROWS_AT_MOST) if has_limit else None
        return Question(narrowed, read_subject(given["key"], selection), context=context, row_limit=limit)
    return _verification(given, selection, context, is_batch=is_batch)


def _row_limit(given: Mapping[str, Any], at_most: int) -> int:
    """Return how many rows of a subject are wanted at most."""
    at_most = min(at_most, ROWS_AT_MOST)
    limit = given.get("limit", at_most)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= at_most:
        raise Refusal("call.invalid_parameter", {"limit": f"must_be_1_to_{at_most}"})
    return limit


def _read_whole(body: bytes) -> dict[str, Any]:
    """Return the object of a body; one that cannot be read is not one with many keys, and too large before it is wrong."""
    try:
        return read_object(body)
    except Refusal:
        check_size(body, BODY_AT_MOST)
        raise


def _verification(given: dict[str, Any], selection: Selection, context: Context, *, is_batch: bool) -> Question:
    if given.get("details") is True and is_fact(selection):  # no one row is the source of what several say
        raise Refusal("call.invalid_parameter", {"details": "not_of_many_rows"})
    wanted = Wanted(is_detailed=_flag(given, "details"), is_scored=_flag(given, "score"))
    if is_batch:
        narrowed, batch = read_checks(given["checks"], selection)
        return Question(narrowed, None, context=context, batch=batch, wanted=wanted)
    subject_key = read_subject(given["key"], selection)
    asked = read_attributes(given["attributes"])
    narrowed = granted(selection, list(asked))
    fields = fields_of(narrowed)
    values = tuple([read_compared(fields[item], item, raw) for item, raw in asked.items()])
    return Question(narrowed, subject_key, values, context, wanted=wanted)


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    if not isinstance(value, bool):
        raise Refusal("call.invalid_parameter", {name: "not_true_or_false"})
    return value


def context_of(given: Mapping[str, Any]) -> Context:
    """Return what a body says about the caller's business."""
    context = read_context(given["context"]) if "context" in given else NO_CONTEXT
    return replace(context, parameters=read_control_parameters(given["parameters"])) if "parameters" in given else context


def read_parameters(body: bytes, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    """Return the parameters of a body: all that are required and none that is unknown."""
    check_size(body, BODY_AT_MOST)
    given = read_object(body)
    check_names(given, required, optional)
    return given


def check_size(body: bytes, at_most: int) -> None:
    """Refuse a body that is too large."""
    if len(body) > at_most:
        raise Refusal("call.body_too_large", {"body": f"more_than_{at_most}_bytes"})


def check_names(given: Mapping[str, Any], required: tuple[str, ...], optional: tuple[str, ...]) -> None:
    """Refuse parameters that are unknown, and say which are missing."""
    wrong = {name: "unknown" for name in given if name not in required + optional}
    wrong |= {name: "required" for name in required if name not in given}
    if wrong:
        raise Refusal("call.invalid_parameter", {printable(name): why for name, why in wrong.items()})


def narrowed_to(selection: Selection, given: Mapping[str, Any]) -> Selection:
    """Return the selection narrowed to the items a body names, to none but granted ones."""
    if "fields" not in given:
        return selection
    fields = given["fields"]
    if not isinstance(fields, list) or not fields:
        raise Refusal("call.invalid_parameter", {"fields": "not_a_list_of_names"})
    names = [text(name, "fields", 40) for name in fields]
    if len(set(names)) != len(names):
        raise Refusal("call.invalid_parameter", {"fields": "named_twice"})
    return granted(selection, names)
