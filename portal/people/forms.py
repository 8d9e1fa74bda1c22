"""Forms of departments and users."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.models import Department, Region
from core.roles import Role
from portal.forms import FilterForm, OnceForm, PortalForm, RevisedForm


class DepartmentChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the departments there are now, by public identifier."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(Department.objects.filter(valid_to=None).order_by("name"), to_field_name="uid", **kwargs)  # type: ignore[arg-type]

    def to_python(self, value: Any) -> Any:
        """Refuse what is no identifier like any other choice there is not."""
        try:
            return super().to_python(value)
        except ValidationError as error:
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from error


class RegionChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A province, city or county there is now, by code."""

    def __init__(self, **kwargs: object) -> None:
        regions = Region.objects.filter(valid_to=None).exclude(level="STREET").order_by("code")
        super().__init__(regions, to_field_name="code", **kwargs)  # type: ignore[arg-type]

    def label_from_instance(self, obj: Region) -> str:
        return f"{obj.code} {obj.name}"


class DepartmentFields(forms.Form):
    """What may be changed of a department."""

    name = forms.CharField(label=_("部门名称"), max_length=100)
    short_name = forms.CharField(label=_("简称"), max_length=30)
    region = RegionChoice(label=_("所属区划"))


class NewDepartmentForm(OnceForm, DepartmentFields):
    """A department to set up."""

    code = forms.CharField(label=_("部门代码"), max_length=18, min_length=18, help_text=_("统一社会信用代码，18 位"))
    field_order = ("code", "name", "short_name", "region")


class DepartmentForm(RevisedForm, DepartmentFields):
    """A department to change."""

    field_order = ("name", "short_name", "region")


class DissolveForm(PortalForm):
    """Who takes over, from when."""

    successor = DepartmentChoice(label=_("承接部门"))
    on = forms.DateField(label=_("撤销日期"), widget=forms.DateInput())


class UserFields(forms.Form):
    """What may be changed of a user."""

    display_name = forms.CharField(label=_("姓名"), max_length=50)
    department = DepartmentChoice(label=_("部门"))
    is_contractor = forms.BooleanField(label=_("外包人员"), required=False)


class NewUserForm(OnceForm, UserFields):
    """A user to create."""

    username = forms.RegexField(
        r"^[a-z][a-z0-9_.-]{2,49}\Z",
        label=_("用户名"),
        max_length=50,
        help_text=_("小写字母开头，可含数字、点、横线，3 至 50 位"),
        error_messages={"invalid": _("用户名须以小写字母开头，只含小写字母、数字、点、横线和下划线，3 至 50 位。")},
    )
    field_order = ("username", "display_name", "department", "is_contractor")


class UserForm(RevisedForm, UserFields):
    """A user to change."""

    is_active = forms.BooleanField(label=_("启用"), required=False)
    field_order = ("display_name", "department", "is_contractor", "is_active")


class RolesForm(RevisedForm):
    """The roles of a user."""

    roles = forms.MultipleChoiceField(label=_("角色"), choices=Role.choices, required=False, widget=forms.CheckboxSelectMultiple)


class UserFilter(FilterForm):
    """Which users to list."""

    q = forms.CharField(label=_("用户名或姓名"), max_length=50)
    department = DepartmentChoice(label=_("部门"))
    role = forms.ChoiceField(label=_("角色"), choices=[("", _("全部")), *Role.choices])


class DepartmentFilter(FilterForm):
    """Which departments to list."""

    q = forms.CharField(label=_("名称或代码"), max_length=100)
