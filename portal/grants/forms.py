"""Forms of grants, systems and credentials."""

from __future__ import annotations

from copy import copy
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from catalog.models import SharingMode
from exchange.granting.grants import STATE_COMMANDS
from exchange.models import GrantState, SignatureAlgorithm, SuspensionGround
from exchange.public_keys import PEM_AT_MOST
from exchange.systems import SHARED_SECRET_ALGORITHMS
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
    """Issue a credential with a shared secret."""

    algorithm = forms.ChoiceField(
        label=_("签名算法"),
        choices=[(name, label) for name, label in SignatureAlgorithm.choices if name in SHARED_SECRET_ALGORITHMS],
        help_text=_("对接系统支持国密时请选 HMAC-SM3。"),
    )


class PublicKeyForm(OnceForm):
    """Hand in a public key, with a signature of the page's text that shows its owner."""

    challenge = forms.CharField(widget=forms.HiddenInput, max_length=300)
    public_key = forms.CharField(
        label=_("公钥（PEM）"),
        max_length=PEM_AT_MOST,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("以 -----BEGIN PUBLIC KEY----- 开头。只上传公钥，私钥不要离开您的系统。"),
    )
    proof = forms.CharField(
        label=_("对待签文本的签名（Base64）"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("用对应的私钥签名，证明公钥属于本系统。SM2 为 DER 编码，签名者标识 1234567812345678。"),
    )

    def show_anew(self, challenge: str, why: str = "") -> None:
        """Put a fresh text to sign into a form that is shown again; what was typed stays."""
        if why:
            self.add_error(None, why)
        data: Any = copy(self.data)
        data[self.add_prefix("challenge")] = challenge
        self.data = data
