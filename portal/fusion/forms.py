"""Forms of fusion: which conflicts, an answer, a new version of a rule."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from basedb.dictionary import DATASETS, Source
from basedb.fusion import rule_versions
from basedb.fusion.conflicts import LONGEST_ANSWER, Verdict
from basedb.fusion.rule_versions import LONGEST_AGE, LONGEST_BASIS, Proposal
from basedb.models import ConflictKind, ConflictState, Strategy
from core.calendar import SHANGHAI
from portal.forms import FilterForm, OnceForm, PortalForm

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


class AnswerForm(PortalForm):
    """What the department found out."""

    verdict = forms.ChoiceField(
        label=_("核实结果"),
        widget=forms.RadioSelect,
        choices=[
            (Verdict.CONFIRMED.value, _("现用值正确（标识冲突：确为两个主体），请其他部门更正")),
            (Verdict.CORRECTING.value, _("现用值有误，本部门将更正来源数据")),
        ],
    )
    text = forms.CharField(label=_("核实说明"), max_length=LONGEST_ANSWER, widget=forms.Textarea(attrs={"rows": 3}))


class RuleFilter(FilterForm):
    """Whose rules."""

    dataset = forms.ChoiceField(label=_("数据集"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].choices = dataset_choices()  # type: ignore[attr-defined]


class RuleForm(OnceForm):
    """A new version of a rule. The first button only counts what would change."""

    actions = ("preview", "add")
    fields_ = forms.MultipleChoiceField(
        label=_("字段"), widget=forms.CheckboxSelectMultiple, help_text=_("选多个字段时，它们取自同一条来源记录。")
    )
    strategy = forms.ChoiceField(label=_("取值方式"), choices=Strategy.choices)
    collectors = forms.CharField(
        label=_("数源顺序"), max_length=300, required=False, help_text=_("部门类别代码，以逗号分隔，靠前的优先；代码见下表。")
    )
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

    def proposal(self) -> Proposal:
        """Return what was typed in."""
        given = self.cleaned_data
        day = given["effective_on"]
        codes = given["collectors"].replace("，", ",").split(",")
        return Proposal(
            dataset=self.dataset,
            fields=tuple(given["fields_"]),
            collectors=tuple(code.strip().upper() for code in codes if code.strip()),
            strategy=given["strategy"],
            max_age_days=given["max_age_days"],
            legal_basis=given["legal_basis"],
            effective_from=datetime(day.year, day.month, day.day, tzinfo=SHANGHAI),
        )


class DecideForm(PortalForm):
    """Confirming a proposal or sending it back."""

    actions = ("refuse", "confirm")
