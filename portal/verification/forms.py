"""Forms of the public verification pages."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from licenses.verification.checks import LONGEST, LONGEST_NAME
from portal.forms import PortalForm


class IdentifierForm(PortalForm):
    """An identifier or a code's text, and perhaps the holder's name to compare."""

    identifier = forms.CharField(
        label=_("电子证照标识"),
        max_length=LONGEST,
        help_text=_("印在证照上，以 1.2.156 开头；也可粘贴扫码得到的内容。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}),
    )
    holder_name = forms.CharField(
        label=_("持证人姓名或单位名称（选填）"),
        max_length=LONGEST_NAME,
        required=False,
        help_text=_("填写后平台只回答一致或不一致，不显示登记的姓名。"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class FileForm(PortalForm):
    """A sealed file."""

    file = forms.FileField(
        label=_("证照文件"),
        help_text=_("PDF 或 OFD，不超过 10 MB。文件只用于本次核验，不保存。"),
        widget=forms.FileInput(attrs={"accept": ".pdf,.ofd"}),
        error_messages={"empty": _("文件是空的，请重新选择。"), "missing": _("请选择证照文件。")},
    )
