"""Forms of aggregation: starting a run, filtering, correcting and dismissing rejected rows."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from basedb.code_sets import CODE_SETS, CodeSet
from basedb.dictionary import DataType
from exchange.aggregation.connector import dataset_of, fields_of
from exchange.aggregation.rejects import LONGEST_VALUE
from exchange.models import AggregationPlan, RejectState
from portal.forms import FilterForm, OnceForm, PortalForm

MOST_CHOSEN = 100


class StartForm(OnceForm):
    """Starting a run; a second click finds the run the first one queued."""


class RejectFilter(FilterForm):
    """Which rejected rows to look at."""

    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *RejectState.choices])
    rule = forms.ChoiceField(label=_("规则"))
    run = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, rules: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule"].choices = [("", _("全部")), *rules]  # type: ignore[attr-defined]


class CorrectionForm(PortalForm):
    """One rejected row, field by field, under the names the clerk knows."""

    def __init__(self, *args: Any, plan: AggregationPlan, wrong: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dataset = dataset_of(plan)
        for name in fields_of(plan):
            field = dataset.field(name)
            hint = _("日期，8 位数字，例如 20250131") if field.data_type == DataType.DATE else field.standard
            self.fields[name] = forms.CharField(
                label=field.title, required=False, max_length=LONGEST_VALUE, help_text=hint, strip=False
            )
            codes = CODE_SETS.get(field.code_set)
            if codes is not None and codes.closed:
                self.fields[name].widget = forms.Select(choices=self._codes(codes, self.initial.get(name, "")))
            self.fields[name].widget.attrs["class"] = "form-select" if codes is not None and codes.closed else "form-control"
        if wrong in self.fields and not self.is_bound:  # the field the rule complained about is where one starts
            attributes = self.fields[wrong].widget.attrs
            attributes |= {"class": attributes["class"] + " is-invalid", "aria-invalid": "true", "autofocus": True}

    @staticmethod
    def _codes(codes: CodeSet, delivered: str) -> list[tuple[str, Any]]:
        """The codes to choose from, after the value that was delivered when it is none of them."""
        choices = [(code, f"{code} {label}") for code, label in codes.labels.items()]
        return [(delivered, delivered or "—"), *choices] if delivered not in codes.labels else [("", "—"), *choices]


class DismissForm(PortalForm):
    """Rows to let go, and why."""

    rows = forms.TypedMultipleChoiceField(required=True, error_messages={"required": _("请先勾选要处理的记录。")})
    reason = forms.CharField(label=_("原因"), max_length=200, min_length=2)

    def __init__(self, *args: Any, choices: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rows"].choices = [(uid, uid) for uid in choices]  # type: ignore[attr-defined]


class UploadForm(PortalForm):
    """A corrected file brought back."""

    file = forms.FileField(label=_("更正后的 CSV 文件"), allow_empty_file=True)
