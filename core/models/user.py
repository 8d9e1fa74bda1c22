"""Users and what they are appointed to. There is no superuser and no staff flag: they would undo the three administrators."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models.department import Department
from core.roles import ADMINISTRATORS, Role


class User(AbstractBaseUser):
    """A person with an account, in exactly one department."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    username = models.CharField(_("用户名"), max_length=50, unique=True)
    display_name = models.CharField(_("姓名"), max_length=50)
    department = models.ForeignKey(Department, models.PROTECT, related_name="users", verbose_name=_("部门"))
    is_contractor = models.BooleanField(_("外包人员"), default=False)
    is_active = models.BooleanField(_("启用"), default=True)
    must_change_password = models.BooleanField(_("须修改密码"), default=False)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["display_name"]
    objects = BaseUserManager()

    class Meta:
        verbose_name = _("用户")
        ordering = ["id"]

    def __str__(self) -> str:
        return self.display_name


class RoleAssignment(models.Model):
    """A user holds a role in the own department. The database keeps the three administrators apart."""

    user = models.ForeignKey(User, models.CASCADE, related_name="role_assignments")
    role = models.CharField(_("角色"), max_length=30, choices=Role.choices)
    family = models.GeneratedField(
        expression=Case(When(role__in=sorted(ADMINISTRATORS), then=F("role")), default=Value("BUSINESS")),
        output_field=models.CharField(max_length=30),
        db_persist=True,
    )
    assigned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("角色任命")
        constraints = [
            models.UniqueConstraint(fields=["user", "role"], name="role_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="role_known"),
            ExclusionConstraint(
                name="administrators_apart",
                expressions=[("user", RangeOperators.EQUAL), ("family", RangeOperators.NOT_EQUAL)],
            ),
        ]
