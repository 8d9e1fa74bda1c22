"""Forms of backflow: a new subscription, a change of its state."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from basedb.dictionary import BY_SUBJECT
from core.models import Department, Region
from core.models.region import RegionLevel
from exchange.models import SubscriptionState
from portal.forms import OnceForm, RevisedForm


def items_name(dataset: str) -> str:
    """Return the form field that holds the items of a dataset."""
    return "items_" + dataset.replace(".", "_")


class SubscriptionForm(OnceForm):
    """A region's own rows of a dataset, and the database they go to."""

    title = forms.CharField(label=_("回流任务名称"), max_length=100)
    region = forms.ModelChoiceField(label=_("区划"), queryset=Region.objects.none(), to_field_name="uid")
    department = forms.ModelChoiceField(label=_("接收部门"), queryset=Department.objects.none(), to_field_name="uid")
    dataset = forms.ChoiceField(label=_("数据集"))
    host = forms.CharField(label=_("目标库地址"), max_length=100)
    port = forms.IntegerField(label=_("端口"), min_value=1, max_value=65535, initial=5432)
    database = forms.CharField(label=_("库名"), max_length=60)
    user = forms.CharField(label=_("用户"), max_length=60)
    password = forms.CharField(label=_("口令"), max_length=200, widget=forms.PasswordInput, help_text=_("加密保存，此后不再显示。"))
    table = forms.CharField(label=_("目标表名"), max_length=60, help_text=_("小写字母、数字和下划线；没有时自动建立。"))
    every_minutes = forms.IntegerField(label=_("周期(分钟)"), min_value=1, max_value=10_080, initial=5)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._query(
            "region", Region.objects.filter(level__in=(RegionLevel.CITY, RegionLevel.COUNTY), valid_to=None).order_by("code")
        )
        self._query("department", Department.objects.filter(valid_to=None).order_by("name"))
        self._choices("dataset", [(code, dataset.title) for code, dataset in BY_SUBJECT.items()])
        for code, dataset in BY_SUBJECT.items():
            self.fields[items_name(code)] = forms.MultipleChoiceField(
                label=format_lazy("{items} · {title}", items=_("信息项"), title=dataset.title),
                choices=[(field.name, field.title) for field in dataset.fields],
                required=False,
                widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
            )
        items = [items_name(code) for code in BY_SUBJECT]
        self.order_fields(["title", "region", "department", "dataset", *items])

    def _query(self, name: str, rows: Any) -> None:
        self.fields[name].queryset = rows  # type: ignore[attr-defined]

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return what `create_subscription` takes."""
        given = self.cleaned_data
        plain = {name: given[name] for name in ("title", "region", "department", "dataset", "password", "every_minutes")}
        place = {name: given[name] for name in ("host", "port", "database", "user", "table")}
        return plain | {"fields": given[items_name(given["dataset"])], "settings": place}

    def name_of(self, name: str) -> str:
        """Return the field of the form that a rule's field is."""
        return items_name(self.cleaned_data["dataset"]) if name == "fields" else name


class StateForm(RevisedForm):
    """Pause, take up again, end."""

    state = forms.ChoiceField(choices=SubscriptionState.choices)
