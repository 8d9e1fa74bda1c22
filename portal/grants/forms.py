"""Forms of grants, systems and credentials."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import SharingMode
from exchange.grants import STATE_COMMANDS
from exchange.models import GrantState, SignatureAlgorithm, SuspensionGround
from portal.forms import FilterForm, OnceForm, RevisedForm


class GrantFilter(FilterForm):
    """The filters of the list of grants."""

    q = forms.CharField(label=_("资源或系统名称"), max_length=100)
    mode = forms.ChoiceField(label=_("共享方式"), choices=[("", _("全部")), *SharingMode.choices])
    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *GrantState.choices, ("EXPIRED", _("已到期"))])


class ChangeForm(RevisedForm):
    """Suspend, resume or revoke a grant."""

    command = forms.ChoiceField(choices=[(c.value, c.value) for c in STATE_COMMANDS])
    ground = forms.ChoiceField(label=_("暂停事由"), choices=SuspensionGround.choices, required=False)
    put_right_by = forms.DateField(
        label=_("限期整改至"), required=False, widget=forms.DateInput(), help_text=_("违规使用的必填，使用方会看到。")
    )
    reason = forms.CharField(label=_("理由"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class SystemForm(OnceForm):
    """Register a consumer system."""

    name = forms.CharField(label=_("系统名称"), max_length=60, help_text=_("例如：义务教育入学报名系统"))


class CredentialForm(OnceForm):
    """Issue a credential."""

    algorithm = forms.ChoiceField(
        label=_("签名算法"), choices=SignatureAlgorithm.choices, help_text=_("对接系统支持国密时请选 HMAC-SM3。")
    )
