"""Forms of outlines and coordinates: loading an approved file, deciding about shifted coordinates of a source."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from basedb.geography.shifted import LONGEST_REASON
from portal.forms import OnceForm, PortalForm


class BoundaryForm(OnceForm):
    """A file, where it is from and its approval number. `check` says what the file would do, `load` does it."""

    actions = ("check", "load")

    file = forms.FileField(
        label=_("界线文件（GeoJSON）"), help_text=_("2000国家大地坐标系经纬度，要素属性 code 为区划代码，不超过64 MB。")
    )
    source = forms.CharField(label=_("界线来源"), max_length=200, help_text=_("例如：省级标准地图服务。"))
    approval_number = forms.CharField(label=_("审图号"), max_length=60, help_text=_("例如：苏S(2024)001号。"))


class CoordinatesForm(PortalForm):
    """Whether shifted coordinates of a source are refused or kept with a mark."""

    choice = forms.ChoiceField(
        label=_("偏移坐标"),
        widget=forms.RadioSelect,
        choices=[("refuse", _("拒收，请数源更正")), ("keep", _("保留并逐条标注“偏移坐标”"))],
    )
    reason = forms.CharField(label=_("理由"), max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 2}))
