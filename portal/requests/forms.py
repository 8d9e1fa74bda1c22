"""Forms of access requests: what is asked for, a decision, the filters of a list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import DataItem, Resource, SharingMode
from core.audit import Actor
from core.models import Region
from exchange.granting.limits import Limits
from exchange.models import AccessRequest
from exchange.querysets import systems_usable_by
from exchange.requests.request_terms import MAX_QUOTA_PER_DAY, Terms
from exchange.requests.workflow import Command
from portal.forms import FilterForm, OnceForm, PortalForm, RevisedForm
from portal.grants.limits import LimitsForm, initial_limits

USUAL_TERM = timedelta(days=364)
TERM_FIELDS = (
    "mode", "purpose", "legal_basis", "scenario", "scope", "region_prefix", "quota_per_day", "term_from", "term_to",
)  # fmt: skip


def _area(label: Any, hint: Any, **more: Any) -> forms.CharField:
    return forms.CharField(label=label, help_text=hint, max_length=500, widget=forms.Textarea(attrs={"rows": 2}), **more)


class CommonTermsForm(PortalForm):
    """What a request says whatever the resource: why, by which system, how long. A basket says it once for all its parts."""

    system = forms.ChoiceField(label=_("使用方系统"), help_text=_("由哪个业务系统调用。授权后只有该系统可以使用。"))
    purpose = forms.CharField(
        label=_("使用目的"), max_length=200, help_text=_("办什么事，例如：小学入学资格核验。调用数据不得超出此目的。")
    )
    legal_basis = _area(_("使用依据"), _("法律、法规、规章或“三定”规定的名称和条款。"))
    scenario = _area(_("使用场景"), _("在哪个事项、哪个环节使用。"))
    scope = _area(_("使用范围"), _("选填。哪些处室、哪些岗位使用。"), required=False)
    term_from = forms.DateField(label=_("使用期限自"), widget=forms.DateInput())
    term_to = forms.DateField(label=_("使用期限至"), widget=forms.DateInput(), help_text=_("含当日，最长三年。"))

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        systems = systems_usable_by(actor).order_by("name")
        choices = [(str(system.uid), system.name) for system in systems]
        self.fields["system"].choices = choices  # type: ignore[attr-defined]
        self.has_systems = bool(choices)
        today = timezone.localdate()
        self.fields["term_from"].initial = today
        self.fields["term_to"].initial = today + USUAL_TERM


class ResourceTermsForm(LimitsForm):
    """What a request says about one resource: which items, how, how much, within which limits. Choices follow the resource."""

    items = forms.MultipleChoiceField(
        label=_("信息项"), widget=forms.CheckboxSelectMultiple, error_messages={"required": _("请至少勾选一个信息项。")}
    )
    mode = forms.ChoiceField(label=_("共享方式"), widget=forms.RadioSelect)
    region_prefix = forms.ChoiceField(label=_("数据范围"), required=False, help_text=_("只需要一个区的数据时，请选该区。"))
    quota_per_day = forms.IntegerField(label=_("每日调用次数上限"), min_value=1, max_value=MAX_QUOTA_PER_DAY, initial=1000)

    def __init__(self, *args: Any, resource: Resource, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.data_items: list[DataItem] = list(resource.items.order_by("position"))
        offered = [mode for mode in SharingMode if mode in resource.sharing_modes]
        choices: dict[str, list[tuple[str, Any]]] = {
            "items": [(item.name, item.title) for item in self.data_items if not item.is_withheld],
            "mode": [(mode.value, MODE_HINTS[mode]) for mode in offered],
            "region_prefix": _regions(resource),
        }
        for name, values in choices.items():
            self.fields[name].choices = values  # type: ignore[attr-defined]
        if len(offered) == 1:
            self.fields["mode"].initial = offered[0]

    @property
    def item_rows(self) -> list[dict[str, Any]]:
        """Return the items with their check boxes' state, withheld ones too (they cannot be ticked)."""
        ticked = set(self["items"].value() or [])
        return [{"item": item, "checked": item.name in ticked} for item in self.data_items]

    def add_domain_error(self, error: Any) -> None:
        """Show a refusal where it belongs; the rules call the items `fields`."""
        if "fields" in error.details and error.status == 422:
            error.details["items"] = error.details.pop("fields")
        super().add_domain_error(error)


def terms_of(cleaned: Mapping[str, Any], limits: Limits) -> Terms:
    """Return the values of valid forms as the rules' terms."""
    texts = {name: cleaned[name].replace("\r\n", "\n") for name in ("purpose", "legal_basis", "scenario", "scope")}
    rest = {name: cleaned[name] for name in TERM_FIELDS if name not in texts}
    return Terms(system=cleaned["system"], fields=tuple(cleaned["items"]), limits=limits, **texts, **rest)


class TermsForm(ResourceTermsForm, CommonTermsForm):
    """Everything a request for one resource says, on one page."""

    actions = ("draft", "submit")

    def __init__(self, *args: Any, resource: Resource, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, resource=resource, actor=actor, **kwargs)

    def terms(self) -> Terms:
        """Return the valid form as the rules' terms."""
        return terms_of(self.cleaned_data, self.limits())


class NewRequestForm(OnceForm, TermsForm):
    """A new request."""


class EditRequestForm(RevisedForm, TermsForm):
    """A draft that is changed."""


MODE_HINTS = {
    SharingMode.VERIFY: _("比对验证：提交待核对的值，只返回一致、不一致或无法比对"),
    SharingMode.QUERY: _("检索查询：按身份号码或信用代码逐条查询，返回所选信息项"),
    SharingMode.BULK: _("批量复制：一次取走范围内的全部数据，审核最严"),
    SharingMode.SUBSCRIBE: _("变更订阅：先取范围内的全部数据，之后只取变化的部分，审核最严"),
    SharingMode.FEATURES: _("地图服务：按空间范围取要素和瓦片，在地图上查看，返回所选信息项"),
}


def initial_of(access_request: AccessRequest) -> dict[str, Any]:
    """Return a draft as the form shows it."""
    values = {name: getattr(access_request, name) for name in TERM_FIELDS}
    more = {"items": access_request.fields, "system": str(access_request.system.uid), "revision": access_request.revision}
    return values | more | initial_limits(access_request.limits)


def _regions(resource: Resource) -> list[tuple[str, Any]]:
    below = Region.objects.filter(parent_id=resource.region_id, valid_to=None).order_by("code")
    return [("", _("全部(%(name)s)") % {"name": resource.region.name}), *((region.code, region.name) for region in below)]


class DecisionForm(RevisedForm):
    """A command on a request, with an opinion or a reason."""

    command = forms.ChoiceField(choices=[(c.value, c.value) for c in Command if c is not Command.EDIT])
    reason = forms.CharField(label=_("意见"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}))


class RequestFilter(FilterForm):
    """The filters of a list of requests."""

    q = forms.CharField(label=_("编号或资源名称"), max_length=100)
    mode = forms.ChoiceField(label=_("共享方式"), choices=[("", _("全部")), *SharingMode.choices])
    tab = forms.CharField(max_length=10, widget=forms.HiddenInput)
