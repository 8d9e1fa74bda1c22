"""Forms of public credit: filters, an application for repair, an objection, an answer, a shield, a catalogue, a tier."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from basedb.credit.cases import LONGEST
from basedb.credit.records import KINDS
from basedb.credit.tier_versions import LONGEST as LONGEST_CITATION
from basedb.credit.tier_versions import MOST_DAYS, MOST_MONTHS
from basedb.credit.workflow import COMMAND_TITLES, Command
from basedb.dictionary import DATASETS
from basedb.models import ObjectionState, RepairState
from portal.forms import FilterForm, OnceForm, PortalForm, RevisedForm

DEFAULT_KIND = "penalty"
# What is listed when nothing is chosen stands first: the select then says what the list shows.
KIND_CHOICES = sorted(
    ((code.removeprefix("credit."), DATASETS[code].title) for code in KINDS), key=lambda choice: choice[0] != DEFAULT_KIND
)


def lines(label: Any, *, hint: Any = "", required: bool = True) -> forms.CharField:
    """Return a field of several lines."""
    return forms.CharField(
        label=label, max_length=LONGEST, help_text=hint, required=required, widget=forms.Textarea(attrs={"rows": 3})
    )


class RecordFilter(FilterForm):
    """Which records of which kind."""

    kind = forms.ChoiceField(label=_("信息类别"), choices=KIND_CHOICES)
    document_number = forms.CharField(label=_("文书号"), max_length=128)
    first_day = forms.DateField(label=_("决定日期自"), widget=forms.DateInput)
    last_day = forms.DateField(label=_("决定日期至"), widget=forms.DateInput)


class SubjectForm(PortalForm):
    """Whose records."""

    code = forms.CharField(
        label=_("统一社会信用代码或公民身份号码"),
        max_length=18,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("只用于本次查询，不保存、不写入网址和日志。"),
    )


class RepairForm(OnceForm):
    """An application for repair."""

    reason = lines(_("申请理由"))
    evidence = lines(_("义务履行情况"), hint=_("写明处罚或列入决定确定的义务何时履行完毕，有哪些证明材料。"))


class ObjectionForm(OnceForm):
    """An objection."""

    reason = lines(_("异议理由"), hint=_("写明哪一项内容有误、依据是什么，不要填写身份证件号码。"))


class RetractForm(PortalForm):
    """Why a record is retracted."""

    document = forms.CharField(label=_("撤销或变更决定文书号"), max_length=128)
    reason = lines(_("撤销理由"))


class StepForm(RevisedForm):
    """One step of a case; the buttons are the commands its desk has."""

    text = lines(_("意见"), required=False)
    actions = tuple(COMMAND_TITLES)

    @property
    def command(self) -> Command:
        """Return the button that was pressed."""
        return Command(self.pressed)


class RepairFilter(FilterForm):
    """Which repairs."""

    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *RepairState.choices])


class ObjectionFilter(FilterForm):
    """Which objections."""

    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *ObjectionState.choices])


class CatalogForm(PortalForm):
    """A version of the catalogue as a file."""

    file = forms.FileField(label=_("目录文件(JSON)"), widget=forms.FileInput(attrs={"accept": ".json,application/json"}))


class TierForm(PortalForm):
    """A new version of a tier of repair."""

    min_months = forms.IntegerField(label=_("最短公示期(月)"), min_value=0, max_value=MOST_MONTHS)
    max_months = forms.IntegerField(label=_("最长公示期(月)"), min_value=0, max_value=MOST_MONTHS)
    accept_days = forms.IntegerField(label=_("受理期限(工作日)"), min_value=0, max_value=MOST_DAYS)
    answer_days = forms.IntegerField(label=_("办结期限(工作日)"), min_value=0, max_value=MOST_DAYS)
    extension_days = forms.IntegerField(label=_("可延长(工作日)"), min_value=0, max_value=MOST_DAYS)
    citation = forms.CharField(label=_("依据"), max_length=LONGEST_CITATION, help_text=_("文件名称、文号和条款。"))
    effective_from = forms.DateField(label=_("施行日期"), widget=forms.DateInput, help_text=_("须晚于今天。"))


class ShieldForm(OnceForm):
    """A shield for an entity whose reorganization or settlement a court approved."""

    code = forms.CharField(label=_("统一社会信用代码"), max_length=18)
    court = forms.CharField(label=_("裁定法院"), max_length=100)
    case_number = forms.CharField(label=_("裁定文书号"), max_length=100)
    first_day = forms.DateField(label=_("屏蔽开始日期"), widget=forms.DateInput)
    last_day = forms.DateField(label=_("屏蔽截止日期"), widget=forms.DateInput)


class SpanFilter(FilterForm):
    """Decisions of which days."""

    first_day = forms.DateField(label=_("决定日期自"), widget=forms.DateInput)
    last_day = forms.DateField(label=_("决定日期至"), widget=forms.DateInput)

    def span(self, *, first: date, last: date) -> tuple[date, date]:
        """Return the days asked for, else those given."""
        chosen = self.chosen()
        return chosen.get("first_day", first), chosen.get("last_day", last)
