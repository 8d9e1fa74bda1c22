"""Forms of zones: whose zone."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy

from core.models import Department
from portal.forms import FilterForm


class DepartmentFilter(FilterForm):
    """The zone of which department; the own one unless another is chosen."""

    department = forms.ModelChoiceField(label=gettext_lazy("部门"), queryset=Department.objects.none(), to_field_name="uid")

    def __init__(self, *args: Any, departments: QuerySet[Department], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["department"]
        field.queryset, field.empty_label = departments, gettext_lazy("本部门")


class RegionFilter(FilterForm):
    """The zone of which region."""

    code = forms.RegexField(
        label=gettext_lazy("区划代码"),
        regex=r"^[0-9]{2,12}$",
        error_messages={"invalid": gettext_lazy("区划代码须为 2 至 12 位数字。")},
    )
