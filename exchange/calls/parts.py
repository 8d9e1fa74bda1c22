"""Parts of a question (请求参数): the subject's key, the items, the values to compare; each checked by the field contract.

Every complaint names the parameter and why; no value is ever repeated.
"""

from __future__ import annotations

from typing import Any

from basedb.dictionary import DATASETS, Field
from basedb.lookup import Selection, read_key, read_value
from exchange.calls.refusals import Refusal
from exchange.calls.tokens import is_token, read_token
from exchange.calls.values import printable, text
from exchange.systems import key_ring


def read_subject(value: Any, selection: Selection) -> bytes:
    """Return the subject key of the identifier an object holds, under its one name; of a token the token."""
    if is_token(value, selection):
        return read_token(value)
    name = DATASETS[selection.dataset].key_field
    if not isinstance(value, dict) or list(value) != [name]:
        raise Refusal("call.invalid_parameter", {"key": f"must_be_an_object_with_{name}"})
    try:
        identifier = read_key(selection.dataset, text(value[name], f"key.{name}", 64))
    except ValueError:
        raise Refusal("call.invalid_parameter", {f"key.{name}": "not_a_valid_identifier"}) from None
    return key_ring().subject_key(identifier)


def granted(selection: Selection, names: list[str]) -> Selection:
    """Return the selection narrowed to these items, none but granted ones."""
    foreign = [name for name in names if name not in selection.items]
    if foreign:
        raise Refusal("grant.field_not_granted", {printable(name): "not_granted" for name in foreign})
    return selection.only(names)


def read_attributes(value: Any) -> dict[str, str]:
    """Return the values to compare, item by item, as they were sent."""
    if not isinstance(value, dict) or not value:
        raise Refusal("call.invalid_parameter", {"attributes": "must_be_an_object_of_values"})
    return {text(item, "attributes", 40): text(given, f"attributes.{item}") for item, given in value.items()}


def read_compared(field: Field, item: str, given: str) -> str:
    """Return one value in the standard writing of its item."""
    try:
        return read_value(field, given)
    except ValueError:
        raise Refusal("call.invalid_parameter", {f"attributes.{item}": "not_a_value_of_this_item"}) from None
