"""Forms of matching: which pairs, and a decision with its reason."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_lazy as _

from basedb.fusion.merging import LONGEST_REASON
from basedb.models import CandidateState, DataSource, MatchCandidate
from portal.forms import FilterForm, PortalForm

BANDS = {"high": ("0.99", "1"), "middle": ("0.9", "0.99"), "low": ("0", "0.9")}


class CandidateFilter(FilterForm):
    """Which pairs; without a choice those that wait."""

    state = forms.ChoiceField(label=_("状态"), choices=[("", _("全部")), *CandidateState.choices])
    source = forms.ModelChoiceField(label=_("数源"), queryset=DataSource.objects.none())
    band = forms.ChoiceField(
        label=_("匹配分"),
        choices=[
            ("", _("全部")),
            ("high", _("0.99 以上")),
            ("middle", _("0.90 至 0.99")),
            ("low", _("0.90 以下")),
            ("old", _("旧标识")),
        ],
    )

    def __init__(self, *args: Any, sources: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].queryset = sources  # type: ignore[attr-defined]

    def conditions(self) -> dict[str, Any]:
        """Return the filters as conditions on pairs."""
        chosen = self.chosen()
        band = chosen.pop("band", "")
        if band == "old":
            return chosen | {"score": None}
        if band:
            low, high = (Decimal(edge) for edge in BANDS[band])
            return chosen | {"score__gte": low} | ({"score__lt": high} if high < 1 else {})
        return chosen


class DecisionForm(PortalForm):
    """What a reviewer says about a pair."""

    actions = ("refuse", "accept", "undo")
    reason = forms.CharField(
        label=_("理由"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("写明怎样核实的，不要写身份号码。"),
    )


def sources_of(rows: QuerySet[MatchCandidate]) -> QuerySet[DataSource]:
    """Return the sources that have any of some pairs; of each a single pair is looked for."""
    return DataSource.objects.filter(Exists(rows.order_by().filter(source=OuterRef("pk"))))
