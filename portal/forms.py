"""The base of every form: Tabler's looks, and what all of them refuse (unknown fields, control characters)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import DjangoTemplates
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.ids import uuid7

FRAME = {"csrfmiddlewaretoken", "next"}
LINE_BREAKS = {"\n", "\r", "\t"}
CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, "form-check-input"),
    (forms.RadioSelect, "form-check-input"),
    (forms.CheckboxInput, "form-check-input"),
    (forms.Select, "form-select"),
    (forms.Widget, "form-control"),
)


class PortalRenderer(DjangoTemplates):
    """Renders `{{ form }}` and `{{ form.name.as_field_group }}` with our own partials."""

    form_template_name = "portal/partials/form.html"
    field_template_name = "portal/partials/field.html"


class PortalForm(forms.Form):
    """A form of the portal. `{{ form }}` renders it; what it does not know it refuses."""

    default_renderer = PortalRenderer
    required_css_class = "required"
    allowed_extra: frozenset[str] = frozenset()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            style = next(style for kind, style in CLASSES if isinstance(field.widget, kind))
            field.widget.attrs.setdefault("class", style)
            if isinstance(field.widget, forms.DateInput):
                field.widget.input_type = "date"
                field.widget.format = "%Y-%m-%d"

    def clean(self) -> dict[str, Any]:
        """Refuse fields the form does not have, and control characters in any text."""
        cleaned = super().clean() or self.cleaned_data
        known = {self.add_prefix(name) for name in self.fields} | FRAME | self.allowed_extra
        unknown = sorted(set(self.data) - known)
        if unknown:
            raise ValidationError(_("表单含有未知字段：%(names)s") % {"names": "、".join(unknown)[:200]}, code="unknown_field")
        for name, value in list(cleaned.items()):
            if isinstance(value, str) and has_control_characters(value):
                self.add_error(name, ValidationError(_("不能含有控制字符。"), code="control_characters"))
        return cleaned

    def add_domain_error(self, error: DomainError) -> None:
        """Show a refusal on the fields it names, else above the form."""
        details: Mapping[str, Any] = error.details
        named = {name: texts for name, texts in details.items() if name in self.fields}
        for name, texts in named.items():
            for text in texts if isinstance(texts, list | tuple) else [texts]:
                self.add_error(name, str(text))
        if not named:
            self.add_error(None, str(error.message))


class OnceForm(PortalForm):
    """A form that creates something: its token makes a double submit harmless (`core.submissions.once`)."""

    submission = forms.CharField(widget=forms.HiddenInput, max_length=64, initial=lambda: uuid7().hex)


class RevisedForm(PortalForm):
    """A form that edits something: carries the revision it was opened with; a stale one is refused with 409."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


class FilterForm(PortalForm):
    """Filters in the URL (GET). Every field is optional; `after` is the pager's cursor."""

    allowed_extra = frozenset({"after"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.required = False
            if isinstance(field, forms.ModelChoiceField):
                field.empty_label = _("全部")

    def chosen(self) -> dict[str, Any]:
        """Return the filters that were set and are valid."""
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "", [])} if self.is_valid() else {}


def has_control_characters(text: str) -> bool:
    """Return whether a text holds control characters other than line breaks and tabs, or is not whole Unicode."""
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in LINE_BREAKS for c in text)
