"""Forms that change what a grant holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from basedb.masking import MASK_TITLES, Mask, is_as_strict
from core.models import Region
from exchange.granting.grant_narrowing import end_of
from exchange.granting.limits import ADDRESSES_AT_MOST
from exchange.granting.narrowing import GrantTerms
from exchange.models import AccessRequest, Grant
from exchange.requests.request_terms import MAX_QUOTA_PER_DAY
from portal.forms import OnceForm, RevisedForm
from portal.grants.limits import LimitsForm, initial_limits, read_lines
from portal.grants.words import last_day

MASK = "mask_"


def _reason(hint: Any) -> forms.CharField:
    return forms.CharField(label=_("理由"), max_length=500, help_text=hint, widget=forms.Textarea(attrs={"rows": 2}))


class NarrowForm(LimitsForm, RevisedForm):
    """The terms of a grant, to be made narrower; choices offer nothing wider."""

    items = forms.MultipleChoiceField(
        label=_("保留的信息项"), widget=forms.CheckboxSelectMultiple, error_messages={"required": _("至少保留一个信息项。")}
    )
    region_prefix = forms.ChoiceField(label=_("数据范围"), required=False)
    quota_per_day = forms.IntegerField(label=_("每日调用次数上限"), min_value=1, max_value=MAX_QUOTA_PER_DAY)
    last_day = forms.DateField(label=_("使用期限至"), widget=forms.DateInput(), help_text=_("含当日，只能提前。"))
    reason = _reason(_("必填，双方部门都会收到通知。"))

    def __init__(self, *args: Any, grant: Grant, **kwargs: Any) -> None:
        titles = dict(grant.resource.items.values_list("name", "title"))
        self._grant = grant
        self._masks = {}
        for name in grant.fields:
            self._masks[f"{MASK}{name}"] = _mask_field(titles.get(name, name), Mask(grant.masks.get(name, Mask.NONE)))
        super().__init__(*args, **kwargs)
        for name, field in self._masks.items():
            self.fields[name] = field
        self.fields["items"].choices = [(name, titles.get(name, name)) for name in grant.fields]  # type: ignore[attr-defined]
        self.fields["region_prefix"].choices = _regions(grant)  # type: ignore[attr-defined]

    @classmethod
    def opened(cls, grant: Grant) -> NarrowForm:
        """Return the form as the grant stands."""
        initial = {
            "revision": grant.revision,
            "items": grant.fields,
            "region_prefix": grant.region_prefix,
            "quota_per_day": grant.quota_per_day,
            "last_day": last_day(grant.valid_to),
        }
        return cls(initial=initial | initial_limits(grant.limits), grant=grant)

    def asked(self) -> GrantTerms:
        """Return the valid form as the rules' terms; an end that stays the same day stays the same moment."""
        cleaned = self.cleaned_data
        items = cleaned["items"]
        day = cleaned["last_day"]
        return GrantTerms(
            fields=items,
            masks={name: cleaned.get(f"{MASK}{name}") or self._grant.masks.get(name, Mask.NONE) for name in items},
            region_prefix=cleaned["region_prefix"],
            limits=self.limits(),
            quota_per_day=cleaned["quota_per_day"],
            valid_to=self._grant.valid_to if day == last_day(self._grant.valid_to) else end_of(day),
        )

    def add_domain_error(self, error: Any) -> None:
        """Show a refusal where it belongs; the rules have names of their own for three of the terms."""
        if error.status == 422:
            for rule, name in (("fields", "items"), ("valid_to", "last_day"), ("masks", f"{MASK}{self._grant.fields[0]}")):
                if rule in error.details:
                    error.details[name] = error.details.pop(rule)
        super().add_domain_error(error)

    @property
    def mask_rows(self) -> list[Any]:
        """Return the fields of the masks."""
        return [self[name] for name in self._masks]


class MaskForm(RevisedForm):
    """The masks of a request's items; choices offer nothing laxer than what stands."""

    @classmethod
    def opened(
        cls, access_request: AccessRequest, standing: Mapping[str, str], titles: Mapping[str, str], data: Any = None
    ) -> MaskForm:
        """Return the form of a request, with what was posted if anything was."""
        form = cls(data, initial={"revision": access_request.revision}, auto_id="masks_%s")
        for name, mask in standing.items():
            form.fields[f"{MASK}{name}"] = _mask_field(titles.get(name, name), Mask(mask))
        return form

    def masks(self) -> dict[str, str]:
        """Return item -> mask of the valid form."""
        return {name.removeprefix(MASK): mask for name, mask in self.cleaned_data.items() if name.startswith(MASK)}


class TerminateForm(RevisedForm):
    """The filing that ends a service."""

    negotiated_on = forms.DateField(label=_("与使用方协商的日期"), widget=forms.DateInput(), initial=timezone.localdate)
    ends_on = forms.DateField(label=_("服务的最后一天"), widget=forms.DateInput())
    reason = _reason(_("必填，报数据中心备案，双方部门都会收到通知。"))


class AddressForm(RevisedForm):
    """Where calls come from."""

    ip_list = forms.CharField(
        label=_("来源地址"),
        max_length=60 * ADDRESSES_AT_MOST,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("每行一个 IP 地址，或写成“地址/前缀长度”的网段。"),
    )

    def addresses(self) -> list[str]:
        """Return the addresses that were typed in."""
        return read_lines(self.cleaned_data["ip_list"])


class ClientForm(RevisedForm):
    """A list of clients."""

    clients = forms.FileField(label=_("服务对象清单（CSV）"), help_text=_("每行一个身份号码或统一社会信用代码，整份替换原清单。"))


class TokenKeyForm(OnceForm):
    """Make the key of the clients' tokens."""


def _mask_field(label: str, now: Mask) -> forms.ChoiceField:
    choices = [(mask.value, MASK_TITLES[mask]) for mask in Mask if is_as_strict(mask, now)]
    widget = forms.Select(attrs={"class": "form-select"})
    return forms.ChoiceField(label=label, choices=choices, initial=now, required=False, widget=widget)


def _regions(grant: Grant) -> list[tuple[str, Any]]:
    """Return the division of now and those inside it."""
    now = grant.region_prefix
    rows = Region.objects.filter(code__startswith=now or grant.resource.region.code, valid_to=None).order_by("code")
    inside = [(region.code, region.name) for region in rows[:200] if region.code != now]
    names = dict(Region.objects.filter(code=now).values_list("code", "name"))
    return [(now, names.get(now, now) if now else _("全部")), *inside]
