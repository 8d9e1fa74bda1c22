"""Roles (角色): three administrators kept apart (三员分立) and the business roles.

Provider or requester is not a role: it follows from which department owns the object.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a user is appointed to. The first three exclude each other and every business role (GB/T 22239)."""

    SYSTEM_ADMINISTRATOR = "SYSTEM_ADMINISTRATOR", _("系统管理员")
    SECURITY_ADMINISTRATOR = "SECURITY_ADMINISTRATOR", _("安全管理员")
    AUDIT_ADMINISTRATOR = "AUDIT_ADMINISTRATOR", _("审计管理员")
    OPERATOR = "OPERATOR", _("部门经办人")
    HEAD = "HEAD", _("部门负责人")
    REVIEWER = "REVIEWER", _("数据中心审核员")


ADMINISTRATORS = frozenset({Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR})


def family(role: str) -> str:
    """Return the family of a role: each administrator is its own family, business roles share one."""
    return role if role in ADMINISTRATORS else "BUSINESS"
