"""Forms of quality: filters, an acceptance, a rule."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.dictionary import DATASETS
from basedb.models import Dimension, QualityRule, RuleKind
from core.models import Department
from portal.forms import FilterForm, OnceForm, PortalForm, json_fault


def dataset_choices() -> list[tuple[str, Any]]:
    """Return the datasets by title."""
    return [(dataset.code, dataset.title) for dataset in DATASETS.values()]


class ScoreFilter(FilterForm):
    """Whose quality of what is shown; the items are those of the dataset."""

    dataset = forms.ChoiceField(label=gettext_lazy("数据集"), choices=lambda: [("", gettext_lazy("全部")), *dataset_choices()])
    item = forms.ChoiceField(label=gettext_lazy("信息项"))
    department = forms.ModelChoiceField(
        label=gettext_lazy("部门"), queryset=Department.objects.filter(valid_to=None), to_field_name="uid"
    )
    dimension = forms.ChoiceField(label=gettext_lazy("维度"), choices=[("", gettext_lazy("全部")), *Dimension.choices])

    def __init__(self, data: QueryDict, **kwargs: Any) -> None:
        dataset = DATASETS.get(data.get("dataset", ""))
        items = [(field.name, field.title) for field in dataset.fields] if dataset else []
        if data.get("item") and data["item"] not in dict(items):  # of the dataset chosen before
            data = data.copy()
            del data["item"]
        super().__init__(data, **kwargs)
        self.fields["item"].choices = [("", gettext_lazy("全部")), *items]  # type: ignore[attr-defined]


class DatasetFilter(FilterForm):
    """Rules or checks of which dataset."""

    dataset = forms.ChoiceField(label=gettext_lazy("数据集"), choices=lambda: [("", gettext_lazy("全部")), *dataset_choices()])


class TaskFilter(DatasetFilter):
    """Which tasks are listed; those still open unless asked otherwise."""

    dimension = forms.ChoiceField(label=gettext_lazy("维度"), choices=[("", gettext_lazy("全部")), *Dimension.choices])
    settled = forms.ChoiceField(
        label=gettext_lazy("办理情况"), choices=[("", gettext_lazy("未办结")), ("yes", gettext_lazy("已办结"))]
    )


class StartForm(OnceForm):
    """A check asked for by hand."""

    dataset = forms.ChoiceField(label=gettext_lazy("数据集"), choices=dataset_choices)


class AcceptForm(PortalForm):
    """Rows that are right although they break a rule, and why."""

    rows = forms.MultipleChoiceField(label=gettext_lazy("记录"), error_messages={"required": gettext_lazy("请至少勾选一条记录。")})
    reason = forms.CharField(label=gettext_lazy("情况说明"), max_length=200)

    def __init__(self, *args: Any, choices: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rows"].choices = [(uid, uid) for uid in choices]  # type: ignore[attr-defined]


class RuleForm(OnceForm):
    """A rule as reviewers write it; parameters are JSON, explained beside the form."""

    title = forms.CharField(label=gettext_lazy("规则"), max_length=100)
    dimension = forms.ChoiceField(label=gettext_lazy("维度"), choices=Dimension.choices)
    kind = forms.ChoiceField(label=gettext_lazy("类别"), choices=RuleKind.choices)
    field = forms.CharField(label=gettext_lazy("字段"), max_length=60, required=False)
    parameters = forms.CharField(
        label=gettext_lazy("参数（JSON）"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    warn_below = forms.DecimalField(label=gettext_lazy("预警线（%）"), min_value=0, max_value=100, max_digits=5, decimal_places=2)
    fail_below = forms.DecimalField(label=gettext_lazy("不合格线（%）"), min_value=0, max_value=100, max_digits=5, decimal_places=2)
    weight = forms.IntegerField(label=gettext_lazy("权重"), min_value=1, max_value=100)
    is_active = forms.BooleanField(label=gettext_lazy("启用"), required=False)

    def clean_parameters(self) -> dict[str, Any]:
        """Read the parameters; an object or nothing."""
        text = self.cleaned_data["parameters"].strip() or "{}"
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            raise ValidationError(_('不是有效的 JSON，例如 {"codes": ["0", "1"]}。')) from None
        if not isinstance(told, dict):
            raise ValidationError(_('须为 JSON 对象，例如 {"codes": ["0", "1"]}。'))
        if fault := json_fault(told):
            raise ValidationError(fault)
        return told

    def clean(self) -> dict[str, Any]:
        """The line of failure lies no higher than that of warning."""
        cleaned = super().clean()
        warn, fail = cleaned.get("warn_below"), cleaned.get("fail_below")
        if warn is not None and fail is not None and fail > warn:
            self.add_error("fail_below", ValidationError(_("不合格线不能高于预警线。")))
        return cleaned

    def rule(self) -> dict[str, Any]:
        """Return what was written, as `rulebook` takes it."""
        return {name: self.cleaned_data[name] for name in self.fields if name not in ("submission", "dataset", "code")}

    @classmethod
    def initial_of(cls, rule: QualityRule) -> dict[str, Any]:
        """Return a rule as the form shows it."""
        names = ("title", "dimension", "kind", "field", "warn_below", "fail_below", "weight", "is_active")
        shown = {name: getattr(rule, name) for name in names}
        return shown | {"parameters": json.dumps(rule.parameters, ensure_ascii=False)}


class NewRuleForm(RuleForm):
    """A rule of a new code."""

    dataset = forms.ChoiceField(label=gettext_lazy("数据集"), choices=dataset_choices)
    code = forms.RegexField(
        label=gettext_lazy("规则代码"),
        regex=r"^[a-z][a-z0-9_.]{1,79}$",
        error_messages={"invalid": gettext_lazy("以小写字母开头，只含小写字母、数字、点和下划线。")},
    )
    field_order = ("dataset", "code")
