"""Forms of thematic databases: filters and the definition."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.models import ThematicDataset, ThematicKind, ThematicState, ThematicSubject
from basedb.thematic.definitions import Draft
from core.errors import DomainError
from core.texts import headed
from portal.forms import FilterForm, OnceForm, json_fault

LONGEST_SPEC = 60_000
_ALL = ("", gettext_lazy("全部"))
_WRITTEN = ("code", "title", "kind", "subject", "purpose", "legal_basis", "every_minutes", "daily_at")


class DefinitionFilter(FilterForm):
    """Which definitions are listed."""

    kind = forms.ChoiceField(label=gettext_lazy("类别"), choices=[_ALL, *ThematicKind.choices])
    state = forms.ChoiceField(label=gettext_lazy("状态"), choices=[_ALL, *ThematicState.choices])


class RowFilter(FilterForm):
    """Which rows are listed."""

    region = forms.RegexField(
        label=gettext_lazy("区划代码"),
        regex=r"^[0-9]{2,12}$",
        error_messages={"invalid": gettext_lazy("区划代码须为 2 至 12 位数字。")},
    )
    level = forms.ChoiceField(label=gettext_lazy("等级"))

    def __init__(self, *args: Any, levels: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if levels:
            self.fields["level"].choices = [_ALL, *((name, name) for name in levels)]  # type: ignore[attr-defined]
        else:
            del self.fields["level"]


class DefinitionForm(OnceForm):
    """A definition as its author writes it; sources and columns are JSON, explained beside the form."""

    actions = ("save", "preview")
    code = forms.CharField(label=gettext_lazy("代码"), max_length=30, help_text=gettext_lazy("小写字母、数字和下划线"))
    title = forms.CharField(label=gettext_lazy("名称"), max_length=100)
    kind = forms.ChoiceField(label=gettext_lazy("类别"), choices=ThematicKind.choices)
    subject = forms.ChoiceField(label=gettext_lazy("主体"), choices=ThematicSubject.choices)
    purpose = forms.CharField(label=gettext_lazy("用途"), max_length=300)
    legal_basis = forms.CharField(label=gettext_lazy("依据"), max_length=200)
    every_minutes = forms.IntegerField(
        label=gettext_lazy("更新间隔（分钟）"), required=False, help_text=gettext_lazy("与每天更新时刻填且只填一项")
    )
    daily_at = forms.TimeField(
        label=gettext_lazy("每天更新时刻"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("请填写时刻，例如 04:20。")},
    )
    spec = forms.CharField(
        label=gettext_lazy("来源、关联与列（JSON）"),
        max_length=LONGEST_SPEC,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "form-control font-monospace"}),
    )

    def clean_spec(self) -> Any:
        """Read the definition; say where it is no JSON."""
        try:
            told = json.loads(self.cleaned_data["spec"])
        except json.JSONDecodeError as error:
            text = _("第 %(line)s 行第 %(column)s 列起不是有效的 JSON。") % {"line": error.lineno, "column": error.colno}
            raise ValidationError(text) from None
        except (ValueError, RecursionError):  # a number of thousands of digits is no JSONDecodeError
            raise ValidationError(_("表达式过于复杂")) from None
        if fault := json_fault(told):
            raise ValidationError(fault)
        return told

    def add_domain_error(self, error: DomainError) -> None:
        """Show what is wrong with a place in the definition beneath the definition, naming the place."""
        if error.code != "thematic.definition_invalid":
            super().add_domain_error(error)
            return
        for place, text in error.details.items():
            self.add_error("spec", ValidationError(headed(place, text)))

    def draft(self) -> Draft:
        """Return what was written."""
        return Draft(**{name: self.cleaned_data[name] for name in _WRITTEN}, spec=self.cleaned_data["spec"])

    @classmethod
    def initial_of(cls, given: Draft | ThematicDataset) -> dict[str, Any]:
        """Return a definition as the form shows it."""
        spec = json.dumps(given.spec, ensure_ascii=False, indent=1)
        return {name: getattr(given, name) for name in _WRITTEN} | {"spec": spec}
