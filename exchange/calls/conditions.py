"""What a grant asks of a call beyond its form (使用条件): where it comes from, its control parameters, the matter it serves.

Checked before anything is counted or read. A grant without conditions costs a comparison. Rows are limited in the SQL.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from exchange.calls.refusals import Refusal
from exchange.calls.terms import Conditions, Context
from exchange.calls.values import printable, text

PARAMETERS_AT_MOST: Final = 20


def read_parameters(value: Any) -> tuple[tuple[str, str], ...]:
    """Return the control parameters a body sends, or refuse what is not an object of texts."""
    if not isinstance(value, dict) or len(value) > PARAMETERS_AT_MOST:
        raise Refusal("call.invalid_parameter", {"parameters": "must_be_an_object_of_values"})
    return tuple((text(name, "parameters", 40), text(given, f"parameters.{printable(name)}", 100)) for name, given in value.items())


def check_origin(conditions: Conditions | None, client_ip: str | None) -> None:
    """Refuse a call from an address the grant does not list; no list means any."""
    if conditions is None or not conditions.networks:
        return
    try:
        address = ip_address(client_ip or "")
    except ValueError:
        raise Refusal("grant.ip_not_listed", {"client_ip": "unknown"}) from None
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address
    if not any(address in network for network in conditions.networks):
        raise Refusal("grant.ip_not_listed", {"client_ip": "not_listed"})


def check_context(conditions: Conditions | None, context: Context) -> None:
    """Refuse a control parameter that is missing, other or unknown, then a matter that is missing or not granted."""
    if conditions is None:
        if context.parameters:
            raise Refusal("call.control_parameter", {printable(name): "not_controlled" for name, _ in context.parameters})
        return
    sent = dict(context.parameters)
    wrong = {printable(name): "not_controlled" for name in sent if name not in conditions.parameters}
    for name, allowed in conditions.parameters.items():
        if name not in sent:
            wrong[name] = "required"
        elif sent[name] not in allowed:
            wrong[name] = "not_allowed"
    if wrong:
        raise Refusal("call.control_parameter", wrong)
    if conditions.matters and not context.matter:
        raise Refusal("call.matter_required", {"context.matter": "required"})
    if conditions.matters and context.matter not in conditions.matters:
        raise Refusal("grant.matter_not_granted", {"context.matter": "not_granted"})
