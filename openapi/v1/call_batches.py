"""Bodies and answers of calls with many keys (批量查询、批量比对), and which of the two forms a body has, for the description."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema_field
from rest_framework import serializers

from exchange.calls.batch import AT_MOST
from exchange.calls.shape import ROWS_AT_MOST

WORDS = ("yes", "no", "not_available")
DETAIL = {
    "type": "object",
    "required": ["result", "source", "as_of"],
    "properties": {
        "result": {"type": "string", "enum": list(WORDS)},
        "source": {
            "type": ["object", "null"],
            "required": ["code", "name"],
            "properties": {"code": {"type": "string"}, "name": {"type": "string"}},
        },
        "as_of": {"type": ["string", "null"], "format": "date-time"},
    },
}


@extend_schema_field({"oneOf": [{"type": "string", "enum": list(WORDS)}, DETAIL]})
class VerdictField(serializers.JSONField):
    """One word, or with `details` the word, the department that holds the value and when it was last changed."""


class LimitField(serializers.IntegerField):
    """How many rows of a subject are wanted at most, of a resource whose subjects have many."""

    def __init__(self) -> None:
        super().__init__(required=False, min_value=1, max_value=ROWS_AT_MOST)


class KeyIn(serializers.Serializer[Any]):
    """Whom the call is about: exactly the one identifier of the granted resource's subjects."""

    citizen_id = serializers.CharField(required=False, max_length=64)
    uscc = serializers.CharField(required=False, max_length=64)
    subject_code = serializers.CharField(required=False, max_length=64)
    holder_code = serializers.CharField(required=False, max_length=64)


class ContextIn(serializers.Serializer[Any]):
    """What the call is made for; written into its record."""

    matter = serializers.RegexField("^[A-Za-z0-9_-]{1,40}$", required=False)
    officer = serializers.RegexField("^[A-Za-z0-9_-]{1,40}$", required=False)
    case = serializers.RegexField("^[A-Za-z0-9_-]{1,40}$", required=False)


class CallIn(serializers.Serializer[Any]):
    """What every body may say: the business it serves, and the control parameters of the grant."""

    context = ContextIn(required=False)  # type: ignore[assignment]
    parameters = serializers.DictField(child=serializers.CharField(max_length=100), required=False)


class VerificationIn(CallIn):
    """What every verification may ask for beside the words."""

    details = serializers.BooleanField(required=False)
    score = serializers.BooleanField(required=False)


class CheckIn(serializers.Serializer[Any]):
    """One subject and the values to compare."""

    key = KeyIn()
    attributes = serializers.DictField(child=serializers.CharField(max_length=500))


class QueryBatchIn(CallIn):
    """Up to a thousand keys; the items hold for all of them."""

    keys = serializers.ListField(child=KeyIn(), min_length=1, max_length=AT_MOST)
    fields = serializers.ListField(child=serializers.CharField(max_length=40), required=False)  # type: ignore[assignment]
    limit = LimitField()


class VerifyBatchIn(VerificationIn):
    """Up to a thousand checks, each with values of its own."""

    checks = serializers.ListField(child=CheckIn(), min_length=1, max_length=AT_MOST)


class ManyRowsOut(serializers.Serializer[Any]):
    """Instead of `data`, of a resource whose subjects have many rows: the newest of them, and whether there are more."""

    items = serializers.ListField(child=serializers.DictField(child=serializers.CharField(allow_null=True)), required=False)
    more = serializers.BooleanField(required=False)


class QueriedOut(ManyRowsOut):
    """One key's answer, in the place of its question; an invalid one says what is wrong."""

    status = serializers.ChoiceField(choices=["found", "not_found", "invalid"])
    data = serializers.DictField(child=serializers.CharField(allow_null=True), allow_null=True, required=False)  # type: ignore[assignment]
    details = serializers.DictField(child=serializers.CharField(), required=False)


class VerifiedOut(serializers.Serializer[Any]):
    """One check's answer, in the place of its question; an invalid one says what is wrong."""

    status = serializers.ChoiceField(choices=["answered", "invalid"])
    result = serializers.DictField(child=VerdictField(), required=False)
    score = serializers.FloatField(allow_null=True, required=False)
    details = serializers.DictField(child=serializers.CharField(), required=False)


class QueryBatchOut(serializers.Serializer[Any]):
    """The answers in the order of the keys."""

    call_id = serializers.UUIDField()
    as_of = serializers.DateTimeField()
    results = QueriedOut(many=True)


class VerifyBatchOut(serializers.Serializer[Any]):
    """The answers in the order of the checks."""

    call_id = serializers.UUIDField()
    as_of = serializers.DateTimeField()
    results = VerifiedOut(many=True)


def one_of(name: str, *forms: type[serializers.Serializer[Any]]) -> Any:
    """Return the schema of a body or an answer that has one of several forms."""
    return PolymorphicProxySerializer(component_name=name, serializers=list(forms), resource_type_field_name=None)
