"""Filters of the statistics of licenses; all of them stand in the address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from core.models import Region
from exchange.license_statistics import reading
from exchange.license_statistics.reading import Scope
from portal.forms import FilterForm

TABLES = (*reading.GROUPS, *reading.USE_GROUPS, "coverage", "missing")


class HeldFilter(FilterForm):
    """Which licenses."""

    type = forms.ChoiceField(label=_("证照类型"))
    issuer = forms.ChoiceField(label=_("颁发机构"))
    region = forms.ChoiceField(label=_("属地"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = reading.type_names()
        regions = dict(Region.objects.values_list("code", "name"))
        self._offer("type", [(code, names.get(code, code)) for code in reading.choices("type_code")])
        self._offer("issuer", [(name, name) for name in reading.choices("issuer")])
        self._offer("region", [(code, regions.get(code, code)) for code in reading.choices("region_code")])

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = [("", _("全部")), *choices]

    def scope(self) -> Scope:
        """Return which licenses are counted."""
        chosen = self.chosen()
        return Scope(type_code=chosen.get("type", ""), issuer=chosen.get("issuer", ""), region=chosen.get("region", ""))


class UseFilter(FilterForm):
    """Uses of which type, over how many months."""

    type = forms.ChoiceField(label=_("证照类型"))
    months = forms.TypedChoiceField(
        label=_("时段"), coerce=int, choices=[(12, _("近12个月")), (24, _("近24个月")), (3, _("近3个月"))]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["type"]
        field.choices = [("", _("全部")), *sorted(reading.type_names().items(), key=lambda pair: pair[1])]


class ExportFilter(HeldFilter):
    """Which table, of which licenses."""

    table = forms.ChoiceField(choices=[(name, name) for name in TABLES])
    months = forms.IntegerField(min_value=1, max_value=24)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer("type", list((reading.type_names() | dict.fromkeys(reading.choices("type_code"), "")).items()))
