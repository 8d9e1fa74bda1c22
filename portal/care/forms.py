"""Forms of care: what a clerk types in about alerts, emergencies, usage, disposal and holds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from catalog.models import Resource, SharingMode
from exchange.care import break_glass
from exchange.care.holds import Scope
from exchange.care.usage_records import LONGEST, Usage
from exchange.models import (
    AccessRequest,
    AlertKind,
    AlertState,
    ConsumerSystem,
    DisposalManner,
    DisposalState,
    HoldScope,
    Verdict,
)
from portal.forms import FilterForm, OnceForm, PortalForm


def text(label: Any, longest: int, *, hint: Any = "", rows: int = 3, required: bool = True) -> forms.CharField:
    """Return a field of several lines."""
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=longest, help_text=hint, widget=widget, required=required)


class AlertFilter(FilterForm):
    """Which alerts."""

    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *AlertState.choices])
    kind = forms.ChoiceField(label=_("告警"), choices=[("", _("全部")), *AlertKind.choices])


class HandleForm(PortalForm):
    """What is done about an alert."""

    actions = ("dismiss", "suspend", "acknowledge")
    reason = text(_("说明"), 400, hint=_("排除时必填；暂停时可不填，双方部门都会看到。"), rows=2, required=False)
    put_right_by = forms.DateField(label=_("限期整改"), widget=forms.DateInput(), required=False, help_text=_("只用于暂停。"))


class EmergencyForm(OnceForm):
    """What is to be opened at once."""

    system = forms.ModelChoiceField(label=_("使用方系统"), queryset=ConsumerSystem.objects.none(), to_field_name="uid")
    mode = forms.ChoiceField(label=_("共享方式"))
    fields_ = forms.MultipleChoiceField(label=_("信息项"), widget=forms.CheckboxSelectMultiple)
    incident_number = forms.CharField(label=_("事件编号"), max_length=64, help_text=_("应急指挥或值班记录的编号。"))
    reason = text(_("应急理由"), 500, hint=_("为什么来不及走正常流程。提供方、数据中心和审计管理员会立即看到。"))
    hours = forms.IntegerField(
        label=_("开放小时数"), min_value=1, max_value=break_glass.LONGEST_HOURS, initial=break_glass.USUAL_HOURS
    )

    def __init__(self, *args: Any, resource: Resource, systems: QuerySet[ConsumerSystem], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [mode for mode in break_glass.MODES if mode in resource.sharing_modes]
        items = resource.items.filter(is_withheld=False).order_by("position").values_list("name", "title")
        self.fields["system"].queryset = systems  # type: ignore[attr-defined]
        self.fields["mode"].choices = [(mode, SharingMode(mode).label) for mode in offered]  # type: ignore[attr-defined]
        self.fields["fields_"].choices = list(items)  # type: ignore[attr-defined]

    def wanted(self) -> break_glass.Emergency:
        """Return what was typed in."""
        given = self.cleaned_data
        return break_glass.Emergency(
            system=given["system"].uid,
            mode=given["mode"],
            fields=tuple(given["fields_"]),
            incident_number=given["incident_number"],
            reason=given["reason"],
            hours=given["hours"],
        )

    def add_domain_error(self, error: Any) -> None:
        """Show a refusal where it belongs; the rules call the items `fields`."""
        if "fields" in error.details:
            error.details["fields_"] = error.details.pop("fields")
        super().add_domain_error(error)


class ReviewForm(PortalForm):
    """What one side found about an emergency afterwards."""

    verdict = forms.ChoiceField(label=_("复核结论"), choices=Verdict.choices, widget=forms.RadioSelect)
    opinion = text(_("复核意见"), 500, rows=2)


class UsageForm(OnceForm):
    """What was done with the data."""

    first_day = forms.DateField(label=_("使用期间自"), widget=forms.DateInput())
    last_day = forms.DateField(label=_("使用期间至"), widget=forms.DateInput())
    scenario = text(_("使用场景"), LONGEST["scenario"], hint=_("在哪些事项、哪些系统中使用。"), rows=2)
    process = text(_("使用过程"), LONGEST["process"], hint=_("谁、怎样使用，有无与其他数据汇聚、关联。"))
    results = text(_("应用成效"), LONGEST["results"], hint=_("办件数、免交材料数、发现的问题等。"))
    storage = text(_("存储情况"), LONGEST["storage"], hint=_("是否留存、存在哪里、保存多久。"), rows=2)
    destruction = text(_("销毁情况"), LONGEST["destruction"], hint=_("没有留存的，请写明“未留存”。"), rows=2)

    def usage(self) -> Usage:
        """Return what was typed in."""
        names = ("first_day", "last_day", *LONGEST)
        return Usage(**{name: self.cleaned_data[name] for name in names})


class CorrectionForm(UsageForm):
    """A record that puts an earlier one right."""

    correction_reason = text(_("更正原因"), 500, rows=2)


class InspectionForm(OnceForm):
    """What an inspection found."""

    findings = text(_("检查情况"), 1000)
    put_right_by = forms.DateField(
        label=_("限期整改"),
        widget=forms.DateInput(),
        required=False,
        help_text=_("没有问题的不填；使用方须在期限前重新登记。"),
    )


class DisposalFilter(FilterForm):
    """Which disposals."""

    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *DisposalState.choices])


class ReportForm(PortalForm):
    """What became of the data."""

    manner = forms.ChoiceField(label=_("处置方式"), choices=DisposalManner.choices, widget=forms.RadioSelect)
    account = text(_("处置说明"), 1000, hint=_("何时、何地、怎样处置，谁见证。销毁证明等材料请在来源申请页随备注上传。"))


class DecisionForm(PortalForm):
    """What the provider says of a report."""

    actions = ("confirm", "send_back")
    opinion = text(_("提供方意见"), 500, hint=_("退回时写明还缺什么。"), rows=2)


class HoldForm(OnceForm):
    """What a hold is to keep."""

    case_number = forms.CharField(label=_("案件编号"), max_length=64)
    reason = text(_("保全理由"), 500, rows=2)
    scope = forms.ChoiceField(label=_("保全范围"), choices=HoldScope.choices, widget=forms.RadioSelect)
    request_number = forms.CharField(
        label=_("申请编号"), max_length=20, required=False, help_text=_("范围为一项申请，或由它产生的一项授权时填写。")
    )
    subject = forms.CharField(
        label=_("证件号码"),
        max_length=40,
        required=False,
        help_text=_("范围为一个对象时填写公民身份号码或统一社会信用代码；号码不保存明文。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    first_day = forms.DateField(label=_("自"), widget=forms.DateInput(), required=False)
    last_day = forms.DateField(label=_("至"), widget=forms.DateInput(), required=False)

    def wanted(self, subject_key: bytes | None, access_request: AccessRequest | None) -> Scope:
        """Return what was typed in, with what was found by it; what the chosen scope does not ask for is left out."""
        given, kind = self.cleaned_data, HoldScope(self.cleaned_data["scope"])
        is_period = kind is HoldScope.PERIOD
        granted = getattr(access_request, "grant", None)
        return Scope(
            kind=kind,
            grant=granted.uid if granted and kind is HoldScope.GRANT else None,
            access_request=access_request.uid if access_request and kind is HoldScope.REQUEST else None,
            subject_key=subject_key if kind is HoldScope.SUBJECT else None,
            first_day=given["first_day"] if is_period else None,
            last_day=given["last_day"] if is_period else None,
        )

    def add_domain_error(self, error: Any) -> None:
        """Show a refusal where it belongs: both kinds of objects are named by the number of the request."""
        for name in ("grant", "access_request"):
            if name in error.details:
                error.details["request_number"] = error.details.pop(name)
        super().add_domain_error(error)


class ReleaseForm(PortalForm):
    """Why a hold is released."""

    reason = text(_("解除理由"), 500, rows=2)
