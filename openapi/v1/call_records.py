"""Call records (调用记录) at the door for systems: reading by day, outcome, system, resource and grant."""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import SharingMode
from exchange import call_log
from exchange.call_log import CallFilter, CallLine
from openapi.authentication import actor
from openapi.pagination import PageQuery
from openapi.permissions import ForBusinessAndAudit

LONGEST_SPAN_DAYS = 400


class CallFilterIn(PageQuery):
    """The query parameters; without days the last week."""

    day_from = serializers.DateField(required=False)
    day_to = serializers.DateField(required=False)
    outcome = serializers.CharField(max_length=40, required=False, help_text="answered、refused 或具体代码")
    mode = serializers.ChoiceField(choices=SharingMode.choices, required=False)
    system = serializers.UUIDField(required=False)
    resource = serializers.UUIDField(required=False)
    grant = serializers.UUIDField(required=False)
    call = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Keep the span in order and bounded."""
        last = attrs.get("day_to") or timezone.localdate()
        first = attrs.get("day_from")
        if first and not 0 <= (last - first).days <= LONGEST_SPAN_DAYS:
            text = _("起始日期不得晚于截止日期，且相距不超过 %(days)s 天。") % {"days": LONGEST_SPAN_DAYS}
            raise serializers.ValidationError({"day_from": [text]})
        return attrs


class CallRecordOut(serializers.Serializer[Any]):
    """A record with the names of what it points to; it holds digests, never contents."""

    requested_at = serializers.DateTimeField(source="record.requested_at")
    call_id = serializers.UUIDField(source="record.call_id")
    parent_call_id = serializers.UUIDField(source="record.parent_call_id", allow_null=True)
    department = serializers.CharField()
    system = serializers.CharField()
    provider = serializers.CharField()
    resource = serializers.CharField()
    grant = serializers.CharField(source="grant_uid")
    grant_version = serializers.IntegerField(source="record.grant_version", allow_null=True)
    mode = serializers.CharField(source="record.mode")
    outcome = serializers.CharField(source="record.outcome")
    fields_ = serializers.ListField(child=serializers.CharField(), source="record.fields", allow_null=True)
    row_count = serializers.IntegerField(source="record.row_count", allow_null=True)
    request_digest = serializers.SerializerMethodField()
    answer_digest = serializers.SerializerMethodField()

    def get_fields(self) -> dict[str, Any]:
        """Name the items `fields`, which the class itself may not."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}

    def get_request_digest(self, line: CallLine) -> str:
        """Return the digest of the question in hexadecimal."""
        return _hex(line.record.request_digest)

    def get_answer_digest(self, line: CallLine) -> str:
        """Return the digest of the answer in hexadecimal."""
        return _hex(line.record.answer_digest)


class CallRecordPage(serializers.Serializer[Any]):
    """A page of records."""

    items = CallRecordOut(many=True)
    next = serializers.CharField(allow_null=True)


class CallRecordList(APIView):
    """The calls one may see. That an auditor reads them is recorded."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(parameters=[CallFilterIn], responses=CallRecordPage, operation_id="call_records_list")
    def get(self, request: Request) -> Response:
        """Return a page, newest first."""
        given = CallFilterIn.of(request)
        cursor, size = given.pop("after"), given.pop("limit")
        found, lines = call_log.read_page(
            actor=actor(request), chosen=CallFilter(**given), now=timezone.now(), cursor=cursor, size=size
        )
        return Response({"items": CallRecordOut(lines, many=True).data, "next": found.next or None})


def _hex(digest: bytes | memoryview | None) -> str:
    return bytes(digest).hex() if digest else ""


urlpatterns = [path("call-records", CallRecordList.as_view(), name="call-record-list")]
