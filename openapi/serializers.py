"""The base of every REST serializer: unknown fields and control characters are refused, not ignored."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

LINE_BREAKS = {"\n", "\r", "\t"}


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that takes exactly its fields. Text longer than `max_length` is refused by its field."""

    def to_internal_value(self, data: Any) -> Any:
        """Parse; refuse unknown fields and texts with control characters, all of them at once."""
        wrong: dict[str, Any] = {}
        if isinstance(data, Mapping):
            wrong = {str(name)[:100]: [_("未知字段。")] for name in data if name not in self.fields}
            wrong |= {
                name: [_("不能含有控制字符。")]
                for name, value in data.items()
                if name in self.fields and any(has_control_characters(text) for text in texts_in(value))
            }
        try:
            parsed = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if isinstance(error.detail, dict):
                wrong |= error.detail
                raise serializers.ValidationError(wrong) from error
            raise
        if wrong:
            raise serializers.ValidationError(wrong)
        return parsed


def texts_in(value: Any) -> list[str]:
    """Return the texts of a value or of a flat list of values; nested objects check their own."""
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def has_control_characters(text: str) -> bool:
    """Return whether a text holds control characters other than line breaks and tabs, or is not whole Unicode."""
    return any(unicodedata.category(c) in ("Cc", "Cs") and c not in LINE_BREAKS for c in text)
