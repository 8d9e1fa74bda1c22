"""Forms of mutual recognition: a node's file, a fingerprint, a reason, an address, filters, a foreign license."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from licenses.models import DifferenceKind, TrustedNode
from licenses.recognition.pulling import LONGEST
from portal.forms import FilterForm, PortalForm


class NodeFileForm(PortalForm):
    """A node and its keys as the node handed them over."""

    file = forms.FileField(
        label=_("互认节点文件(JSON)"),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
        help_text=_("由对方节点提供，含节点代码、区划、接口地址和 SM2 公钥；不得含私钥。"),
    )


class FingerprintForm(PortalForm):
    """The fingerprint the other side told on another way."""

    fingerprint = forms.CharField(
        label=_("密钥指纹"),
        max_length=128,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("通过电话或公文向对方节点核实后填写 64 位十六进制指纹，不要从文件中复制。"),
    )


class ReasonForm(PortalForm):
    """Why a key is revoked."""

    reason = forms.CharField(label=_("撤销原因"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))


class EndpointForm(PortalForm):
    """Where a node is reached."""

    endpoint = forms.CharField(
        label=_("接口地址"), max_length=200, required=False, help_text=_("http(s) 地址；留空则停止向该节点发送和询问。")
    )


class RejectedFilter(FilterForm):
    """Which rejected rows."""

    node = forms.ModelChoiceField(label=_("节点"), queryset=TrustedNode.objects.order_by("code"), to_field_name="code")


class DifferenceFilter(FilterForm):
    """Which differences."""

    kind = forms.ChoiceField(label=_("差异"), choices=[("", _("全部")), *DifferenceKind.choices])


class FetchForm(PortalForm):
    """A license of another region for a matter."""

    identifier = forms.CharField(
        label=_("电子证照标识"), max_length=128, help_text=_("证照或二维码上的标识，以 1.2.156.3005.2 开头。")
    )
    matter = forms.CharField(label=_("事项"), max_length=LONGEST)
    purpose = forms.CharField(label=_("用途"), max_length=LONGEST, help_text=_("双方都会记录；不要填写身份证件号码。"))


class DocumentForm(PortalForm):
    """A document somebody brought."""

    file = forms.FileField(label=_("互认证照文档(JSON)"), widget=forms.FileInput(attrs={"accept": ".json,application/json"}))
