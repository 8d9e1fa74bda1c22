"""Forms of missing licenses: a report, a step, filters, the working days of a stage."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.models import Department, Region
from licenses.models import MissingKind, MissingStage, MissingState
from licenses.reissue import reports
from licenses.reissue.clocks import LONGEST as LONGEST_DAYS
from licenses.reissue.workflow import COMMAND_TITLES, Command
from portal.forms import FilterForm, OnceForm, RevisedForm

LENGTH_OF_CODE = 6
LENGTH_OF_CITY = 4


def region_choices() -> list[tuple[str, str]]:
    """Return the regions of this node as licenses write them."""
    found = Region.objects.filter(
        code__startswith=settings.NODE_CODE[:LENGTH_OF_CITY], level__in=("CITY", "COUNTY"), valid_to=None
    ).order_by("code")
    return [("", _("请选择")), *((code.ljust(LENGTH_OF_CODE, "0"), name) for code, name in found.values_list("code", "name"))]  # type: ignore[list-item]


def type_choices() -> list[tuple[str, Any]]:
    """Return the types of licenses."""
    return [("", _("请选择")), *reports.types_on(timezone.localdate())]


def lines(label: Any, *, hint: Any = "", required: bool = True) -> forms.CharField:
    """Return a field of several lines."""
    return forms.CharField(
        label=label,
        max_length=reports.LONGEST,
        help_text=hint,
        required=required,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReportForm(OnceForm):
    """A report of a window clerk."""

    kind = forms.ChoiceField(label=_("情形"), choices=MissingKind.choices, widget=forms.RadioSelect, initial=MissingKind.PAPER_ONLY)
    type_code = forms.ChoiceField(label=_("证照类型"), choices=type_choices)
    region_code = forms.ChoiceField(label=_("证照所属区划"), choices=region_choices, help_text=_("颁发该证照的地区。"))
    holder_name = forms.CharField(label=_("持证主体"), max_length=reports.LONGEST_NAME)
    holder_code = forms.CharField(
        label=_("公民身份号码或统一社会信用代码"),
        max_length=18,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    paper_number = forms.CharField(
        label=_("证照编号"), max_length=reports.LONGEST_NUMBER, required=False, help_text=_("纸质证照上的编号；没有可不填。")
    )
    note = lines(_("情况说明"), hint=_("何时在哪里办过、手里有什么材料；不要填写身份证件号码。"))


class HolderReportForm(ReportForm):
    """A report of the holder; the name is known."""

    holder_name = None  # type: ignore[assignment]  # taken off the form
    field_order = ("kind", "type_code", "region_code", "paper_number", "note", "holder_code")


class StepForm(RevisedForm):
    """One step of a report; the buttons are the commands its desk has."""

    text = lines(_("意见"), required=False)
    identifier = forms.CharField(
        label=_("电子证照标识"), max_length=128, required=False, help_text=_("答复“已有电子证照”或“补发完成”时填写。")
    )
    department = forms.ModelChoiceField(
        label=_("移交给"),
        queryset=Department.objects.none(),
        to_field_name="uid",
        required=False,
        empty_label=_("请选择"),
        help_text=_("移交时选择。"),
    )
    actions = tuple(COMMAND_TITLES)

    def __init__(self, *args: Any, asks: frozenset[str] = frozenset(), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        receivers: Any = self.fields["department"]
        receivers.queryset = Department.objects.filter(valid_to=None).order_by("name")
        for name in ("identifier", "department"):
            if name not in asks:
                self.fields[name].widget = forms.HiddenInput()

    @property
    def command(self) -> Command:
        """Return the button that was pressed."""
        return Command(self.pressed)


class ReportFilter(FilterForm):
    """Which reports."""

    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *MissingState.choices])
    kind = forms.ChoiceField(label=_("情形"), choices=[("", _("全部")), *MissingKind.choices])
    scope = forms.ChoiceField(
        label=_("范围"),
        choices=[
            ("", _("全部")),
            ("TO_DO", _("待本部门核查")),
            ("OURS", _("本部门报告的")),
            ("LATE", _("已超期")),
        ],
    )


class FigureFilter(FilterForm):
    """Figures of which days, by what."""

    by = forms.ChoiceField(
        label=_("统计口径"), choices=[("type", _("证照类型")), ("department", _("核查部门")), ("month", _("月份"))]
    )
    first_day = forms.DateField(label=_("报告日期自"), widget=forms.DateInput)
    last_day = forms.DateField(label=_("报告日期至"), widget=forms.DateInput)

    def span(self, *, first: date, last: date) -> tuple[date, date]:
        """Return the days asked for, else those given."""
        chosen = self.chosen()
        return chosen.get("first_day", first), chosen.get("last_day", last)


class ClockForm(OnceForm):
    """The working days of a stage from a day on."""

    stage = forms.ChoiceField(label=_("环节"), choices=MissingStage.choices)
    days = forms.IntegerField(label=_("工作日"), min_value=1, max_value=LONGEST_DAYS)
    from_day = forms.DateField(label=_("施行日期"), widget=forms.DateInput)
    citation = forms.CharField(label=_("依据"), max_length=200)
