"""Why a call is made (调用事由): the matter, the officer and the case it serves, as the caller's body says and signs it.

They go into the record beside the answer. Whether the grant covers the matter is decided with its terms; whether officer and
case exist only the caller knows, and answers for.
"""

from __future__ import annotations

import re
from typing import Any, Final

from basedb.identifiers import citizen_id_valid
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Context
from exchange.calls.values import printable

CODE: Final = re.compile("[A-Za-z0-9_-]{1,40}")
ID_LENGTH: Final = 18
PARTS: Final = {"matter": "matter", "officer": "officer", "case": "case_number"}


def read_context(value: Any) -> Context:
    """Return the context a body names; codes only, and never a person's identifier, nor one with something around it."""
    if not isinstance(value, dict):
        raise Refusal("call.invalid_parameter", {"context": "must_be_an_object"})
    wrong = {f"context.{printable(name)}": why for name, given in value.items() if (why := _wrong(name, given))}
    if wrong:
        raise Refusal("call.invalid_parameter", wrong)
    return Context(**{PARTS[name]: code for name, code in value.items()})


def _wrong(name: str, value: Any) -> str:
    if name not in PARTS:
        return "unknown"
    if not isinstance(value, str) or not CODE.fullmatch(value):
        return "not_a_code_of_1_to_40_letters_digits_-_"
    windows = (value.upper()[start : start + ID_LENGTH] for start in range(len(value) - ID_LENGTH + 1))
    return "is_a_personal_identifier" if any(map(citizen_id_valid, windows)) else ""
