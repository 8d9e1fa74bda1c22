"""Tokens in place of identifiers (对象令牌) in a call: recognized by their form, resolved among the grant's own clients.

One statement more, for calls that send tokens only. A token nobody is registered under becomes the key of nobody, which is
answered, counted and recorded as an identifier nobody has.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Any, Final

from basedb.lookup import Selection
from exchange.calls import connections
from exchange.calls.refusals import Refusal
from exchange.calls.terms import Question

NAME: Final = "subject_token"
FORM: Final = re.compile("[0-9a-f]{64}")
LENGTH: Final = 32  # a subject's key is shorter, so that the two are never taken for each other
RESOLVE: Final = """
SELECT encode(token, 'hex'), encode(subject_key, 'hex') FROM exchange_grantsubject
WHERE grant_id = <<grant>> AND token IN (SELECT decode(sent, 'hex') FROM unnest(<<tokens>>) AS sent)"""
PARAMETERS: Final = (("grant", "bigint"), ("tokens", "text[]"))


def is_token(value: Any, selection: Selection) -> bool:
    """Return whether a key is a token, which only grants over registered clients take."""
    return selection.rows.is_members_only and isinstance(value, dict) and list(value) == [NAME]


def read_token(value: dict[str, Any]) -> bytes:
    """Return a token, to be resolved later on."""
    token = value[NAME]
    if not isinstance(token, str) or not FORM.fullmatch(token):
        raise Refusal("call.invalid_parameter", {f"key.{NAME}": "must_be_64_hex_digits"})
    return bytes.fromhex(token)


def resolved(question: Question, grant_id: int) -> Question:
    """Return the question with the subjects its tokens stand for."""
    is_possible = question.selection.rows.is_members_only
    tokens = {key for key in question.subjects() if len(key) == LENGTH} if is_possible else ()
    if not tokens:
        return question
    values = {"grant": grant_id, "tokens": [token.hex() for token in tokens]}
    found = {bytes.fromhex(token): bytes.fromhex(key) for token, key in connections.rows(RESOLVE, PARAMETERS, values)}
    known = {token: found.get(token) or hashlib.sha256(b"nobody" + token).digest()[:16] for token in tokens}
    if question.batch is None:
        return replace(question, subject_key=known[question.subjects()[0]])
    return replace(question, batch=replace(question.batch, keys=tuple([known.get(key, key) for key in question.batch.keys])))
