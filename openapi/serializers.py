"""The base of every REST serializer: unknown fields, wrong JSON types and control characters are refused, never put right."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request
from rest_framework.settings import api_settings

LINE_BREAKS = {"\n", "\r", "\t"}


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that takes exactly its fields in their own JSON types. Text longer than `max_length` is refused by its field."""

    has_json_types = True

    def run_validation(self, data: Any = empty) -> Any:
        """Parse; a body that is no object at all is said to be so."""
        if self.parent is None and not isinstance(data, Mapping):
            raise serializers.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [_("请求体须为 JSON 对象。")]})
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> Any:
        """Parse; refuse what is unknown, of a wrong type or has control characters, all of it at once."""
        wrong: dict[str, Any] = {}
        if isinstance(data, Mapping):
            wrong = {str(name)[:100]: [_("未知字段。")] for name in data if name not in self.fields}
            for name, value in data.items():
                message = self._fault(self.fields[name], value) if name in self.fields else ""
                if message:
                    wrong[name] = [message]
        try:
            parsed = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):
                raise serializers.ValidationError(error.detail | wrong) from error
            raise
        if wrong:
            raise serializers.ValidationError(wrong)
        return parsed

    def _fault(self, field: Any, value: Any) -> str:
        """Return what is wrong with a value before its field reads it, or nothing."""
        message = wrong_type(field, value) if self.has_json_types else ""
        if not message and any(has_control_characters(text) for text in texts_in(value)):
            message = _("不能含有控制字符。")
        return message


class MomentField(serializers.DateTimeField):
    """A moment with or without a time zone. One at the ends of the calendar that other zones cannot write is refused."""

    default_error_messages: ClassVar[dict[str, Any]] = {"overflow": gettext_lazy("时间超出可用范围。")}

    def enforce_timezone(self, value: datetime) -> datetime:
        """Return the moment in the time of the platform."""
        try:
            return super().enforce_timezone(value)
        except OverflowError:
            self.fail("overflow")


class StrictQuery(StrictSerializer):
    """The query parameters of a list: texts all of them, none unknown."""

    has_json_types = False

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """Return the parameters of a request, parsed."""
        check_encoding(request)
        query = cls(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


def check_encoding(request: Request) -> None:
    """Refuse parameters that are not UTF-8; Django would quietly put other characters in their place."""
    wrong = {}
    for name, value in parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True, encoding="latin-1"):
        try:
            (name + value).encode("latin-1").decode()
        except UnicodeError:
            wrong[name[:100]] = [_("须为 UTF-8 编码的文本。")]
    if wrong:
        raise serializers.ValidationError(wrong)


def wrong_type(field: Any, value: Any) -> str:
    """Return what is wrong with the JSON type of a value, or nothing. Null is left to the field."""
    if value is None:
        return ""
    if isinstance(field, serializers.ListField):
        if not isinstance(value, list):
            return _("须为列表。")
        return next((fault for fault in (wrong_type(field.child, inner) for inner in value) if fault), "")
    if isinstance(field, serializers.BooleanField):
        return "" if isinstance(value, bool) else _("须为 true 或 false。")
    if isinstance(field, serializers.IntegerField):
        return "" if isinstance(value, int) and not isinstance(value, bool) else _("须为整数。")
    texts = (serializers.CharField, serializers.ChoiceField, serializers.UUIDField, serializers.DateField)
    return _("须为文本。") if isinstance(field, texts) and not isinstance(value, str) else ""


def texts_in(value: Any) -> list[str]:
    """Return the texts of a value or of a flat list of values; nested objects check their own."""
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def has_control_characters(text: str) -> bool:
    """Return whether a text holds control characters other than line breaks and tabs, or is not whole Unicode."""
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in LINE_BREAKS for c in text)
