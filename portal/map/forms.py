"""Forms of the map page: what is chosen, in the URL, and the address somebody searches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from exchange.features.showing import Shown
from portal.forms import FilterForm, PortalForm


class MapForm(FilterForm):
    """Layers that are on, the point asked about, the layer shown as a table with one filter, the division counted."""

    layer = forms.MultipleChoiceField(label=gettext_lazy("图层"), widget=forms.CheckboxSelectMultiple)
    at = forms.CharField(label=gettext_lazy("坐标（经度,纬度）"), max_length=40)
    table = forms.ChoiceField(label=gettext_lazy("以表格查看"))
    item = forms.ChoiceField(label=gettext_lazy("信息项"))
    value = forms.CharField(label=gettext_lazy("取值"), max_length=100)
    division = forms.RegexField("[0-9]{2,12}", label=gettext_lazy("统计区划代码"))
    after = forms.RegexField("[0-9a-f]{32}", widget=forms.HiddenInput)

    def __init__(self, *args: Any, layers: Sequence[Shown], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(one.uid, one.title) for one in layers]
        items = {name: str(one.layer.field(column).title) for one in layers for name, column in one.layer.queryables().items()}
        self.fields["layer"].choices = named  # type: ignore[attr-defined]
        self.fields["table"].choices = [("", _("不显示")), *named]  # type: ignore[attr-defined]
        self.fields["item"].choices = [("", _("全部")), *items.items()]  # type: ignore[attr-defined]

    def clean_at(self) -> tuple[float, float] | str:
        """Return longitude and latitude."""
        text = self.cleaned_data["at"]
        if not text:
            return ""
        if not re.fullmatch(r"-?\d{1,3}(\.\d{1,9})?[,，]\s*-?\d{1,2}(\.\d{1,9})?", text, re.ASCII):
            raise ValidationError(_("请按“经度,纬度”填写十进制度数，例如 113.13,27.83。"))
        longitude, latitude = (float(part) for part in re.split("[,，]", text))
        if abs(longitude) > 180 or abs(latitude) > 90:
            raise ValidationError(_("经度应在 -180 至 180 之间，纬度应在 -90 至 90 之间。"))
        return longitude, latitude


class AddressForm(PortalForm):
    """An address as people write it, and which of those found is to be shown: it is sent, so that no home stands in a URL."""

    address = forms.CharField(label=gettext_lazy("地址"), max_length=200)
    pick = forms.IntegerField(required=False, min_value=0, max_value=99, widget=forms.HiddenInput)
