"""Narrowing (收窄): whether one set of terms lets through nothing that another refuses. Pure.

A grant in use is only ever made narrower; whoever needs more asks anew, so that the desks look at it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from basedb.masking import Mask, is_as_strict
from exchange.granting.limits import Limits, networks


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTerms:
    """The terms of a grant that can be narrowed. `masks` names the masked items alone."""

    fields: Sequence[str]
    masks: Mapping[str, str]
    region_prefix: str
    limits: Limits
    quota_per_day: int
    valid_to: datetime


def widenings(now: GrantTerms, asked: GrantTerms) -> dict[str, str]:
    """Return term -> why it would be wider than it is now; empty when the terms asked are as narrow or narrower."""
    refused = _("此项会比现有授权宽，只能收窄；需要更多请重新申请。")
    checks: dict[str, Callable[[], bool]] = {
        "fields": lambda: set(asked.fields) <= set(now.fields),
        "masks": lambda: all(is_as_strict(_mask(asked, name), _mask(now, name)) for name in asked.fields),
        "region_prefix": lambda: asked.region_prefix.startswith(now.region_prefix),
        "row_filter": lambda: _rows_within(now.limits.row_filter, asked.limits.row_filter),
        "control_parameters": lambda: _parameters_within(now.limits.control_parameters, asked.limits.control_parameters),
        "matters": lambda: _is_part(asked.limits.matters, now.limits.matters),
        "ip_list": lambda: addresses_within(now.limits.ip_list, asked.limits.ip_list),
        "quota_per_second": lambda: asked.limits.quota_per_second <= now.limits.quota_per_second,
        "quota_per_day": lambda: asked.quota_per_day <= now.quota_per_day,
        "valid_to": lambda: asked.valid_to <= now.valid_to,
    }
    return {name: refused for name, is_within in checks.items() if not is_within()}


def addresses_within(now: Sequence[str], asked: Sequence[str]) -> bool:
    """Return whether every address asked for lies in the list of now; an empty list is all addresses."""
    if not now:
        return True
    known = networks(now)
    inner: list[Any] = networks(asked)
    return bool(inner) and all(
        any(network.version == outer.version and network.subnet_of(outer) for outer in known) for network in inner
    )


def _mask(terms: GrantTerms, name: str) -> Mask:
    return Mask(terms.masks.get(name, Mask.NONE))


def _is_part(asked: Sequence[str], now: Sequence[str]) -> bool:
    """Whether a list of what is allowed shrinks; an empty one allows everything."""
    return not now or (bool(asked) and set(asked) <= set(now))


def _rows_within(now: Sequence[Mapping[str, Any]], asked: Sequence[Mapping[str, Any]]) -> bool:
    lists = {rule["item"]: rule["values"] for rule in asked if rule["kind"] == "list"}
    is_own = any(rule["kind"] == "own_clients" for rule in asked)
    return all(
        is_own if rule["kind"] == "own_clients" else rule["item"] in lists and _is_part(lists[rule["item"]], rule["values"])
        for rule in now
    )


def _parameters_within(now: Mapping[str, Sequence[str]], asked: Mapping[str, Sequence[str]]) -> bool:
    return all(name in asked and _is_part(asked[name], values) for name, values in now.items())
