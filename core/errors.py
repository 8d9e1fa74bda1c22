"""The five ways a rule says no. Each carries a stable English code and a Chinese sentence for people.

Doors turn them into a page or into the one REST error body `{code, message, details, request_id}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """A rule refused. `code` is stable (`noun.reason`), `message` says what is wrong and what to do, `details` is JSON."""

    status: ClassVar[int] = 400

    def __init__(self, code: str, message: Any, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.details: dict[str, Any] = dict(details or {})


class Invalid(DomainError):
    """The input is wrong: `details` maps field names to what is wrong with them."""

    status = 422


class Forbidden(DomainError):
    """The actor sees the object but may not do this to it."""

    status = 403


class NotFound(DomainError):
    """No such object, or none the actor may see."""

    status = 404


class Conflict(DomainError):
    """The object is not in a state that allows this, or was changed meanwhile: `details` says what changed."""

    status = 409


class Unavailable(DomainError):
    """A part the rule needs is away; trying again later may work."""

    status = 503
