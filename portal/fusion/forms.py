"""Forms of fusion: which conflicts, an answer, a new version of a rule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from basedb.dictionary import DATASETS, Source, Subject
from basedb.fusion import rule_versions
from basedb.fusion.conflicts import LONGEST_ANSWER, Verdict
from basedb.fusion.merging import LONGEST_REASON
from basedb.fusion.rule_versions import LONGEST_AGE, LONGEST_BASIS, Proposal
from basedb.models import ConflictKind, ConflictState, DecisionKind, Strategy
from core.calendar import SHANGHAI
from core.errors import DomainError
from portal.forms import FilterForm, OnceForm, PortalForm, RevisedForm, speak_plainly

COLLECTORS = {
    Source.PUBLIC_SECURITY: _("公安"),
    Source.CIVIL_AFFAIRS: _("民政"),
    Source.MARKET_REGULATION: _("市场监管"),
    Source.HEALTH: _("卫生健康"),
    Source.SOCIAL_SECURITY: _("人力资源社会保障"),
    Source.MEDICAL_INSURANCE: _("医疗保障"),
    Source.EDUCATION: _("教育"),
    Source.DISABLED_FEDERATION: _("残联"),
    Source.STAFFING: _("机构编制"),
    Source.TAX: _("税务"),
    Source.CREDIT: _("信用牵头部门"),
    Source.NATURAL_RESOURCES: _("自然资源"),
    Source.HOUSING: _("住房城乡建设"),
    Source.TRANSPORT: _("交通运输"),
    Source.ENVIRONMENT: _("生态环境"),
    Source.AGRICULTURE: _("农业农村"),
    Source.POWER: _("供电"),
    Source.GOVERNMENT_SERVICES: _("政务服务"),
    Source.OTHER: _("其他部门"),
}

PLACES = tuple(f"collector_{place}" for place in range(1, 7))
_NUMBER = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})


def collector_title(code: str) -> str:
    """Return what people call a kind of department."""
    return str(COLLECTORS.get(Source(code), code)) if code in list(Source) else code


def dataset_choices() -> list[tuple[str, Any]]:
    """Return the datasets that are fused."""
    return [(code, dataset.title) for code, dataset in rule_versions.masters().items()]


class ConflictFilter(FilterForm):
    """Which conflicts."""

    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *ConflictState.choices])
    kind = forms.ChoiceField(label=_("类别"), choices=[("", _("全部")), *ConflictKind.choices])
    dataset = forms.ChoiceField(label=_("数据集"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].choices = [("", _("全部")), *dataset_choices()]  # type: ignore[attr-defined]


class AnswerForm(RevisedForm):
    """What the department found out."""

    verdict = forms.ChoiceField(
        label=_("核实结果"),
        widget=forms.RadioSelect,
        choices=Verdict.choices,
    )
    text = forms.CharField(label=_("核实说明"), max_length=LONGEST_ANSWER, widget=forms.Textarea(attrs={"rows": 3}))


class RuleFilter(FilterForm):
    """Whose rules."""

    dataset = forms.ChoiceField(label=_("数据集"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].choices = dataset_choices()  # type: ignore[attr-defined]


def _source_at(place: int) -> forms.ChoiceField:
    """The kind of department that comes at a place of the order; none is needed beyond the last one chosen."""
    field = forms.ChoiceField(
        label=format_lazy(_("数源顺序第 {place} 位"), place=place),
        required=False,
        choices=[("", _("无")), *((source.value, title) for source, title in COLLECTORS.items())],
        widget=forms.Select(attrs={"class": "form-select"}),
        help_text=_("靠前的部门优先取值。") if place == 1 else "",
    )
    speak_plainly(field)
    return field


class RuleForm(OnceForm):
    """A new version of a rule. The first button only counts what would change; sources are chosen one place after the other."""

    actions = ("preview", "add")
    fields_ = forms.MultipleChoiceField(
        label=_("字段"), widget=forms.CheckboxSelectMultiple, help_text=_("选多个字段时，它们取自同一条来源记录。")
    )
    strategy = forms.ChoiceField(label=_("取值方式"), choices=Strategy.choices)
    max_age_days = forms.IntegerField(
        label=_("最长有效天数"), required=False, min_value=1, max_value=LONGEST_AGE,
        help_text=_("比最新的一条早出这么多天的值让位；不填则不限。"),
    )  # fmt: skip
    legal_basis = forms.CharField(label=_("依据"), max_length=LONGEST_BASIS, help_text=_("法规名称和条款。"))
    effective_on = forms.DateField(label=_("生效日期"), widget=forms.DateInput(), help_text=_("当日零时起生效，须晚于今天。"))

    def __init__(self, *args: Any, dataset: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dataset = dataset
        named = [(field.name, field.title) for field in DATASETS[dataset].fields]
        self.fields["fields_"].choices = named  # type: ignore[attr-defined]
        for place, name in enumerate(PLACES, 1):
            self.fields[name] = _source_at(place)
        self.order_fields(["fields_", "strategy", *PLACES])

    def proposal(self) -> Proposal:
        """Return what was typed in."""
        given = self.cleaned_data
        day = given["effective_on"]
        return Proposal(
            dataset=self.dataset,
            fields=tuple(given["fields_"]),
            collectors=tuple(given[name] for name in PLACES if given[name]),
            strategy=given["strategy"],
            max_age_days=given["max_age_days"],
            legal_basis=given["legal_basis"],
            effective_from=datetime(day.year, day.month, day.day, tzinfo=SHANGHAI),
        )

    def add_domain_error(self, error: DomainError) -> None:
        """What is wrong with the order of the sources is shown at the first of them."""
        details = {PLACES[0] if name == "collectors" else name: texts for name, texts in error.details.items()}
        super().add_domain_error(type(error)(error.code, error.message, details))


class MergeForm(PortalForm):
    """Two numbers of one subject, or a merge to be taken back."""

    kind = forms.ChoiceField(
        label=_("事项"),
        widget=forms.RadioSelect,
        initial=DecisionKind.MERGE,
        choices=[(kind.value, kind.label) for kind in (DecisionKind.MERGE, DecisionKind.UNMERGE)],
    )
    dataset = forms.ChoiceField(label=_("主体类别"))
    kept = forms.CharField(label=_("保留的号码"), max_length=18, widget=_NUMBER, help_text=_("只用于定位主体，不进入网址和日志。"))
    other = forms.CharField(label=_("并入的号码"), max_length=18, widget=_NUMBER)
    reason = forms.CharField(
        label=_("理由"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("写明怎样核实的，不要写身份号码。"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        masters = rule_versions.masters().items()
        subjects = [(code, dataset.title) for code, dataset in masters if dataset.subject is not Subject.PLACE]
        self.fields["dataset"].choices = subjects  # type: ignore[attr-defined]


class RecordForm(PortalForm):
    """Why a record is to be kept apart, or let go."""

    reason = forms.CharField(
        label=_("理由"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("写明怎样核实的，不要写身份号码。"),
    )


class DecideForm(PortalForm):
    """Confirming a proposal or sending it back."""

    actions = ("refuse", "confirm")
