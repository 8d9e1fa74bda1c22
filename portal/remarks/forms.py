"""Forms of remarks and attachments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exchange.requests.attachments.keeping import LARGEST, LONGEST_REASON, Upload
from exchange.requests.attachments.kinds import ACCEPT
from exchange.requests.remarks import LONGEST
from portal.forms import OnceForm, PortalForm


class ManyFilesInput(forms.FileInput):
    """A file input that takes several files."""

    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Several files; each is checked by the rules."""

    widget = ManyFilesInput(attrs={"accept": ACCEPT})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """Return the files that were sent."""
        files = [file for file in (data if isinstance(data, list | tuple) else [data]) if file]
        return [super(ManyFilesField, self).clean(file, initial) for file in files] if files else super().clean(None, initial) or []


def uploads_of(files: Sequence[Any]) -> list[Upload]:
    """Return the files as the rules take them. Of one that is too large, no more is read than shows that it is."""
    return [Upload(file.name or "", file.read(LARGEST + 1)) for file in files]


class RemarkForm(OnceForm):
    """A remark with its files."""

    text = forms.CharField(label=_("备注"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 3}))
    is_private = forms.BooleanField(label=_("仅审核方可见（申请方看不到）"), required=False)
    file = ManyFilesField(
        label=_("附件"), required=False, help_text=_("选填。pdf、ofd、docx、xlsx、png、jpg、txt、csv，每个不超过 10 MB。")
    )

    def __init__(self, *args: Any, reads_private: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not reads_private:
            del self.fields["is_private"]


class AttachForm(OnceForm):
    """Files for a draft."""

    file = ManyFilesField(
        label=_("选择文件"), help_text=_("pdf、ofd、docx、xlsx、png、jpg、txt、csv，每个不超过 10 MB，最多 10 个。")
    )


class RedactForm(PortalForm):
    """Why the content of a file is taken away."""

    reason = forms.CharField(label=_("原因"), max_length=LONGEST_REASON)
