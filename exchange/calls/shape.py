"""Form of the question (请求参数): what a body may say, checked before anything is counted or read.

Every complaint names the parameter and why; no value is ever repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from basedb.dictionary import DATASETS
from basedb.lookup import Selection, read_key, read_value
from exchange.calls.conditions import read_parameters as read_control_parameters
from exchange.calls.context import read_context
from exchange.calls.refusals import Refusal
from exchange.calls.terms import NO_CONTEXT, Context, Question, Terms
from exchange.calls.values import printable, read_object, text
from exchange.systems import key_ring

BODY_AT_MOST: Final = 16_384
PARAMETERS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {  # mode -> required, optional
    "QUERY": (("key",), ("fields", "context", "parameters")),
    "VERIFY": (("key", "attributes"), ("context", "parameters")),
    "BULK": ((), ("fields", "format", "context", "parameters")),
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
        raise Refusal("grant.unusable")
    if terms.is_unsealed:
        raise Refusal("platform.unsealed")
    return terms, terms.selection


def read_question(body: bytes, mode: str, selection: Selection) -> Question:
    """Return the question in a body, or refuse with what is wrong with each parameter."""
    given = read_parameters(body, *PARAMETERS[mode])
    context = context_of(given)
    if mode == "BULK":
        if given.get("format", "csv") != "csv":
            raise Refusal("call.invalid_parameter", {"format": "only_csv"})
        return Question(narrowed_to(selection, given), None, context=context)
    subject_key = _read_key(given["key"], selection)
    if mode == "QUERY":
        return Question(narrowed_to(selection, given), subject_key, context=context)
    asked = read_attributes(given["attributes"])
    narrowed = granted(selection, list(asked))
    values = tuple(_read_value(narrowed, item, given) for item, given in asked.items())
    return Question(narrowed, subject_key, values, context)


def context_of(given: Mapping[str, Any]) -> Context:
    """Return what a body says about the caller's business."""
    context = read_context(given["context"]) if "context" in given else NO_CONTEXT
    return replace(context, parameters=read_control_parameters(given["parameters"])) if "parameters" in given else context


def read_parameters(body: bytes, required: tuple[str, ...], optional: tuple[str, ...]) -> dict[str, Any]:
    """Return the parameters of a body: all that are required and none that is unknown."""
    given = read_object(body)
    wrong = {name: "unknown" for name in given if name not in required + optional}
    wrong |= {name: "required" for name in required if name not in given}
    if wrong:
        raise Refusal("call.invalid_parameter", {printable(name): why for name, why in wrong.items()})
    return given


def _read_key(value: Any, selection: Selection) -> bytes:
    name = DATASETS[selection.dataset].key_field
    if not isinstance(value, dict) or list(value) != [name]:
        raise Refusal("call.invalid_parameter", {"key": f"must_be_an_object_with_{name}"})
    try:
        identifier = read_key(selection.dataset, text(value[name], f"key.{name}", 64))
    except ValueError:
        raise Refusal("call.invalid_parameter", {f"key.{name}": "not_a_valid_identifier"}) from None
    return key_ring().subject_key(identifier)


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


def granted(selection: Selection, names: list[str]) -> Selection:
    """Return the selection narrowed to these items, or refuse the ones that were not granted."""
    foreign = [name for name in names if name not in selection.items]
    if foreign:
        raise Refusal("grant.field_not_granted", {printable(name): "not_granted" for name in foreign})
    return selection.only(names)


def read_attributes(value: Any) -> dict[str, str]:
    """Return the values to compare, by item."""
    if not isinstance(value, dict) or not value:
        raise Refusal("call.invalid_parameter", {"attributes": "must_be_an_object_of_values"})
    return {text(item, "attributes", 40): text(given, f"attributes.{item}") for item, given in value.items()}


def _read_value(selection: Selection, item: str, given: str) -> str:
    try:
        return read_value(selection, item, given)
    except ValueError:
        raise Refusal("call.invalid_parameter", {f"attributes.{item}": "not_a_value_of_this_item"}) from None
