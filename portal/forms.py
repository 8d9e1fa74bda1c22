"""The base of every form: Tabler's looks, and what all of them refuse (unknown fields, control characters)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from copy import copy
from http import HTTPStatus
from math import isfinite
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.forms.renderers import DjangoTemplates
from django.forms.utils import ErrorList
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from core.ids import uuid7
from core.texts import listed, visible

PLAIN: tuple[tuple[type[forms.Field], dict[str, Any]], ...] = (
    (
        forms.Field,
        {
            "required": gettext_lazy("此项必填。"),
            "invalid_choice": gettext_lazy("所选内容不在可选范围内，请重新选择。"),
            "invalid_list": gettext_lazy("所选内容不在可选范围内，请重新选择。"),
            "null_characters_not_allowed": gettext_lazy("不能含有控制字符。"),
        },
    ),
    (
        forms.CharField,
        {
            "max_length": gettext_lazy("最多 %(limit_value)s 个字，现有 %(show_value)s 个字。"),
            "min_length": gettext_lazy("至少 %(limit_value)s 个字，现有 %(show_value)s 个字。"),
        },
    ),
    (
        forms.IntegerField,
        {
            "invalid": gettext_lazy("请填写整数。"),
            "min_value": gettext_lazy("不能小于 %(limit_value)s。"),
            "max_value": gettext_lazy("不能大于 %(limit_value)s。"),
        },
    ),
    (forms.DateField, {"invalid": gettext_lazy("请填写有效的日期，例如 2026-01-31。")}),
    (forms.UUIDField, {"invalid": gettext_lazy("标识的格式不正确。")}),
)
FRAME = {"csrfmiddlewaretoken", "next"}
LINE_BREAKS = {"\n", "\r", "\t"}
DEEPEST_JSON = 60
CLASSES: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, "form-check-input"),
    (forms.RadioSelect, "form-check-input"),
    (forms.CheckboxInput, "form-check-input"),
    (forms.Select, "form-select"),
    (forms.Widget, "form-control"),
)


TOKEN_WRONG = gettext_lazy("页面上的提交标识缺失或不正确，内容没有保存。请核对后再提交一次。")
REVISION_WRONG = gettext_lazy("页面上的修订号缺失或不正确，内容没有保存。请重新打开页面后再办理。")


class PortalRenderer(DjangoTemplates):
    """Renders `{{ form }}` and `{{ form.name.as_field_group }}` with our own partials."""

    form_template_name = "portal/partials/form.html"
    field_template_name = "portal/partials/field.html"


class PortalForm(forms.Form):
    """A form of the portal. `{{ form }}` renders it; what it does not know it refuses. `status` is what to answer with."""

    default_renderer = PortalRenderer
    required_css_class = "required"
    allowed_extra: frozenset[str] = frozenset()
    # What the buttons named `action` may say; the first one is meant when none was pressed.
    actions: tuple[str, ...] = ()
    conflict: DomainError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            speak_plainly(field)
            style = next(style for kind, style in CLASSES if isinstance(field.widget, kind))
            field.widget.attrs.setdefault("class", style)
            if isinstance(field.widget, forms.DateInput):
                field.widget.input_type = "date"
                field.widget.format = "%Y-%m-%d"

    @property
    def pressed(self) -> str:
        """Return which button was pressed."""
        return str(self.data.get("action", *self.actions[:1]))

    @property
    def status(self) -> int:
        """Return the status of the page that shows this form."""
        return HTTPStatus.CONFLICT if self.conflict else HTTPStatus.UNPROCESSABLE_ENTITY if self.errors else HTTPStatus.OK

    def full_clean(self) -> None:
        """Show what is wrong with hidden fields above the form: nobody would see it beside them."""
        super().full_clean()
        for field in self.hidden_fields():
            for error in self.errors.pop(field.name, ErrorList()).as_data():
                self.add_error(None, error)

    def clean(self) -> dict[str, Any]:
        """Refuse fields and buttons the form does not have, control characters, and texts in which nothing is to be seen."""
        cleaned = super().clean() or self.cleaned_data
        if self.actions and self.pressed not in self.actions:
            raise ValidationError(_("没有这种操作，内容没有保存。请使用页面上的按钮。"), code="unknown_action")
        known = {self.add_prefix(name) for name in self.fields} | FRAME | self.allowed_extra
        known |= {"action"} if self.actions else set()
        unknown = sorted(set(self.data) - known)
        if unknown:
            raise ValidationError(_("表单含有未知字段：%(names)s") % {"names": listed(unknown)[:200]}, code="unknown_field")
        for name, value in list(cleaned.items()):
            if isinstance(value, str) and has_control_characters(value):
                self.add_error(name, ValidationError(_("不能含有控制字符。"), code="control_characters"))
            elif isinstance(value, str) and value and getattr(self.fields[name], "strip", False) and not visible(value):
                cleaned[name] = ""
                if self.fields[name].required:
                    self.add_error(name, ValidationError(self.fields[name].error_messages["required"], code="required"))
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

    submission = forms.CharField(
        widget=forms.HiddenInput,
        max_length=64,
        initial=lambda: uuid7().hex,
        error_messages=dict.fromkeys(("required", "max_length", "null_characters_not_allowed"), TOKEN_WRONG),
    )

    def full_clean(self) -> None:
        """Give a form whose token is missing or broken a new one: the next click works."""
        super().full_clean()
        if self.is_bound and self.has_error(NON_FIELD_ERRORS) and "submission" not in self.cleaned_data:
            self.renew()

    def renew(self) -> None:
        """Put a fresh token into the form that is shown again."""
        data: Any = copy(self.data)
        data[self.add_prefix("submission")] = uuid7().hex
        self.data = data

    def add_domain_error(self, error: DomainError) -> None:
        """Show a refusal; a token that was spent on other contents is replaced, what was typed stays."""
        if error.code != "submission.reused":
            super().add_domain_error(error)
            return
        self.renew()
        self.conflict = error
        text = _("您刚才已用这张表单提交过一次，那一次已经生效。现在的内容不同，尚未提交；如确需另建一项，请再提交一次。")
        self.add_error(None, ValidationError(text, code=error.code))


class RevisedForm(PortalForm):
    """A form that edits something: carries the revision it was opened with; a stale one is refused with 409."""

    revision = forms.IntegerField(
        widget=forms.HiddenInput,
        min_value=0,
        max_value=2**31 - 1,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), REVISION_WRONG),
    )
    changes: Sequence[Mapping[str, str]] = ()

    def overtake(self, error: DomainError, now: Mapping[str, Any]) -> None:
        """Show what changed meanwhile beside what was typed, which stays; saving again is then meant."""
        self.conflict = error
        changed = [self[name] for name in now if name in self.fields and name != "revision"]
        lines = [
            {"title": str(bound.label), "now": shown(bound, now[bound.name]), "typed": shown(bound, bound.value())}
            for bound in changed
        ]
        self.changes = [line for line in lines if line["now"] != line["typed"]]
        data: Any = copy(self.data)
        data[self.add_prefix("revision")] = str(now["revision"])
        self.data = data


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


def speak_plainly(field: forms.Field) -> None:
    """Replace the framework's messages by ours; what a field says in words of its own stays."""
    usual = {
        code: text for kind in reversed(type(field).__mro__) for code, text in vars(kind).get("default_error_messages", {}).items()
    }
    for kind, messages in PLAIN:
        if isinstance(field, kind):
            for code, text in messages.items():
                if field.error_messages.get(code) is usual.get(code):
                    field.error_messages[code] = text
    if isinstance(field, forms.ModelChoiceField):
        without_null = ProhibitNullCharactersValidator(field.error_messages["null_characters_not_allowed"])
        setattr(field, "validate_no_null_characters", without_null)  # noqa: B010  # typed as a method


def shown(bound: forms.BoundField, value: Any) -> str:
    """Return a field's value as people read it: titles of choices, yes and no, a dash for nothing."""
    field = bound.field
    if isinstance(field, forms.BooleanField):
        return _("是") if value in (True, "on", "true", "True", "1") else _("否")
    if isinstance(field, forms.ChoiceField):
        parts = value if isinstance(value, list | tuple) else [field.prepare_value(value)]
        choices: Any = field.choices
        titles = {str(key): str(title) for key, title in choices}
        value = listed(titles.get(str(part), str(part)) for part in parts if part is not None)
    return str(value).replace("\r\n", "\n").strip() if value not in (None, "") else "—"


def has_control_characters(text: str) -> bool:
    """Return whether a text holds control characters other than line breaks and tabs, or is not whole Unicode."""
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in LINE_BREAKS for c in text)


def json_fault(value: Any) -> str:
    """Return what keeps something read from JSON from being stored and shown: nested too deep, or odd characters in a text."""
    waiting = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if depth > DEEPEST_JSON:
            return _("表达式过于复杂")
        if isinstance(one, str) and has_control_characters(one):
            return _("不能含有控制字符。")
        if isinstance(one, float) and not isfinite(one):
            return _("数值须不超过 18 位整数、6 位小数")
        parts = [*one, *one.values()] if isinstance(one, dict) else one if isinstance(one, list) else []
        waiting += [(part, depth + 1) for part in parts]
    return ""
