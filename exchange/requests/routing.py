"""Routing (审批路径): which desks must review a request after the requester's own head. First match wins.

The order is the practice of the provincial platform (seed 000); the desks and commands themselves are in `workflow`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict
from exchange.requests.workflow import Route


@dataclass(frozen=True, slots=True)
class SharingTerms:
    """What routing needs to know of a resource."""

    share_attribute: str
    base_database: str = ""
    is_mounted: bool = False
    has_control_parameters: bool = False
    authorization_from_above: str = ""  # BLANKET or PER_CASE


def route_of(terms: SharingTerms) -> Route:
    """Return the route of a request for a resource; a withheld resource raises Conflict."""
    if terms.share_attribute == "WITHHELD":
        raise Conflict("resource.withheld", _("该资源属于不予共享类，不能申请。"))
    if terms.authorization_from_above == "BLANKET":
        return Route.DATA_CENTRE_ALONE
    if terms.base_database and terms.is_mounted:
        return Route.DATA_CENTRE_ALONE
    if terms.share_attribute == "UNCONDITIONAL" and not terms.has_control_parameters:
        return Route.DATA_CENTRE_ALONE
    return Route.PROVIDER_FIRST
