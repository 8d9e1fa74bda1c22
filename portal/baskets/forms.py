"""Forms of a basket: what is said once for all parts, what is said of each part, agreeing to all parts at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from core.audit import Actor
from core.errors import DomainError
from exchange.models import BasketEntry
from exchange.requests.baskets import COMMON, Ask
from portal.forms import OnceForm, PortalForm
from portal.requests.forms import CommonTermsForm, ResourceTermsForm, terms_of

OF_ENTRY = re.compile(r"(e[0-9a-f]{32})-")


class AddForm(PortalForm):
    """Putting a resource aside; nothing needs to be said yet."""


class CopyForm(OnceForm):
    """Asking again: a copy or the next term of a grant."""


class CommonForm(OnceForm, CommonTermsForm):
    """What is said once for the whole basket; the parts' fields come beside it."""

    def __init__(self, *args: Any, beside: frozenset[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allowed_extra = beside


class PartForm(ResourceTermsForm):
    """What is said of one resource; its fields carry the entry's id."""

    def __init__(self, *args: Any, entry: BasketEntry, **kwargs: Any) -> None:
        initial = {"items": entry.fields} | ({"mode": entry.mode} if entry.mode else {})
        super().__init__(*args, prefix=f"e{entry.uid.hex}", resource=entry.resource, initial=initial, **kwargs)
        self.entry = entry
        self.allowed_extra = frozenset(self.data)


class BasketForm:
    """The whole page: the common form and one form a part; faults of the rules find their place."""

    def __init__(self, data: Mapping[str, Any] | None, *, entries: Sequence[BasketEntry], actor: Actor) -> None:
        self.parts = [PartForm(data, entry=entry) for entry in entries]
        own = frozenset(part.add_prefix(name) for part in self.parts for name in part.fields)
        known = {part.prefix for part in self.parts}
        self.gone = frozenset(name for name in data or () if (found := OF_ENTRY.match(name)) and found[1] not in known)
        self.common = CommonForm(data, beside=own | self.gone, actor=actor)

    def is_valid(self) -> bool:
        """Return whether every form is valid; all of them are asked, so that all faults are told at once."""
        valid = all([self.common.is_valid(), *[part.is_valid() for part in self.parts]])
        if self.gone:
            self.common.add_error(None, _("资源篮里的资源已经提交或移出，本次没有提交。请核对后再办理。"))
        elif not self.parts:
            self.common.add_error(None, _("资源篮是空的，请先到目录中挑选资源。"))
        return valid and not self.gone and bool(self.parts)

    @property
    def status(self) -> int:
        """Return the status of the page."""
        return max([self.common.status, *[part.status for part in self.parts]])

    def cleaned(self) -> dict[str, Any]:
        """Return everything that was said, for the digest of the submission."""
        return {"": self.common.cleaned_data} | {str(part.entry.uid): part.cleaned_data for part in self.parts}

    def asks(self) -> list[Ask]:
        """Return one ask for each part."""
        return [
            Ask(part.entry.resource.uid, terms_of({**self.common.cleaned_data, **part.cleaned_data}, part.limits()))
            for part in self.parts
        ]

    def add_domain_error(self, error: DomainError) -> None:
        """Show faults at the parts and fields they name; what names none stands above the form."""
        named = False
        for place, part in enumerate(self.parts):
            start = f"parts[{place}]."
            own = {name.removeprefix(start): text for name, text in error.details.items() if str(name).startswith(start)}
            for name, text in own.items():
                field = {"fields": "items", "row_filter": "row_lists"}.get(name, name)
                part.add_error(field if field in part.fields else None, ValidationError(str(text), code=error.code))
                named = True
        common = {name: text for name, text in error.details.items() if name in COMMON and name in self.common.fields}
        for name, text in common.items():
            self.common.add_error(name, str(text))
        if not named and not common:
            self.common.add_domain_error(error)
        elif named:
            self.common.add_error(None, ValidationError(error.message, code=error.code))


class EndorseAllForm(PortalForm):
    """Agreeing to all parts: which parts, in which revision, were on the page."""

    seen = forms.CharField(widget=forms.HiddenInput, max_length=2000)

    def clean_seen(self) -> dict[UUID, int]:
        """Return uid -> revision."""
        try:
            pairs = [pair.split(":") for pair in str(self.cleaned_data["seen"]).split(",")]
            return {UUID(uid): int(revision) for uid, revision in pairs}
        except ValueError as error:
            raise ValidationError(_("页面内容不完整，请重新打开页面后再办理。"), code="seen") from error
