"""The form of a copy for a purpose."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from licenses.sealing.copies import DAYS_AT_MOST, LONGEST
from portal.forms import OnceForm


class CopyForm(OnceForm):
    """What a copy is for, for whom, and how long its link is good."""

    purpose = forms.CharField(label=_("用途"), max_length=LONGEST, help_text=_("会印在加注件上，例如“办理公积金提取”。"))
    receiver = forms.CharField(label=_("接收方"), max_length=LONGEST, help_text=_("会印在加注件上，写明单位全称。"))
    days = forms.IntegerField(label=_("有效天数"), min_value=1, max_value=DAYS_AT_MOST, initial=7)
