"""Whether a page shows the way to the lineage (数据血缘)."""

from __future__ import annotations

from typing import Any

from django import template

from core.roles import Role
from portal.actor import BUSINESS, actor

register = template.Library()


@register.simple_tag(takes_context=True)
def sees_lineage(context: dict[str, Any]) -> bool:
    """Return whether the lineage is open to the reader."""
    return actor(context["request"]).has(*BUSINESS, Role.AUDIT_ADMINISTRATOR)
