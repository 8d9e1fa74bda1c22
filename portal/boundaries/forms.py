"""The form that loads approved outlines."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.forms import OnceForm


class BoundaryForm(OnceForm):
    """A file, where it is from and its approval number. `check` says what the file would do, `load` does it."""

    actions = ("check", "load")

    file = forms.FileField(
        label=_("界线文件（GeoJSON）"), help_text=_("2000国家大地坐标系经纬度，要素属性 code 为区划代码，不超过64 MB。")
    )
    source = forms.CharField(label=_("界线来源"), max_length=200, help_text=_("例如：省级标准地图服务。"))
    approval_number = forms.CharField(label=_("审图号"), max_length=60, help_text=_("例如：苏S(2024)001号。"))
