"""Bulk jobs and change feeds as the OpenAPI description tells of them; served by `openapi.calls`, as all calls are."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from exchange.feeds.calling import ROWS_AT_MOST
from exchange.models import FileFormat, JobState
from openapi.v1.calls import HEADERS, CallView, refusals_by_status

FILES = {(status, "application/octet-stream"): OpenApiTypes.BINARY for status in (200, 206)}


class JobIn(serializers.Serializer[Any]):
    """Items and format of a copy in parts, both optional."""

    fields = serializers.ListField(child=serializers.CharField(max_length=40), required=False)  # type: ignore[assignment]
    format = serializers.ChoiceField(choices=FileFormat.choices, required=False)
    context = serializers.DictField(child=serializers.CharField(max_length=64), required=False)  # type: ignore[assignment]
    parameters = serializers.DictField(child=serializers.CharField(max_length=100), required=False)


class PartOut(serializers.Serializer[Any]):
    """One part: size, digests and the mark each of its rows carries."""

    number = serializers.IntegerField()
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    sm3 = serializers.CharField()
    mark = serializers.CharField()
    as_of = serializers.DateTimeField()


class JobOut(serializers.Serializer[Any]):
    """State and manifest of a job."""

    call_id = serializers.UUIDField()
    job = serializers.UUIDField()
    state = serializers.ChoiceField(choices=JobState.choices)
    reason = serializers.CharField()
    format = serializers.ChoiceField(choices=FileFormat.choices)
    fields = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]
    grant = serializers.UUIDField()
    grant_version = serializers.IntegerField()
    purpose = serializers.CharField()
    receiver = serializers.CharField()
    opened_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    expected_rows = serializers.IntegerField()
    rows = serializers.IntegerField()
    parts = PartOut(many=True)


class SubscribeIn(serializers.Serializer[Any]):
    """Where the receiver stands, null at the beginning, and how many rows it wants at most."""

    after = serializers.CharField(allow_null=True, max_length=400)
    limit = serializers.IntegerField(min_value=1, max_value=ROWS_AT_MOST, required=False)
    context = serializers.DictField(child=serializers.CharField(max_length=64), required=False)  # type: ignore[assignment]
    parameters = serializers.DictField(child=serializers.CharField(max_length=100), required=False)


class ChangeOut(serializers.Serializer[Any]):
    """One row put or taken away; `data` only with a row that is put."""

    op = serializers.ChoiceField(choices=["upsert", "delete"])
    key = serializers.CharField()
    data = serializers.DictField(child=serializers.CharField(allow_null=True), required=False)  # type: ignore[assignment]


class SubscribeOut(serializers.Serializer[Any]):
    """A page of the feed and the timepoint behind it."""

    call_id = serializers.UUIDField()
    phase = serializers.ChoiceField(choices=["snapshot", "changes"])
    timepoint = serializers.CharField()
    complete = serializers.BooleanField()
    changes = ChangeOut(many=True)


RANGES = [
    OpenApiParameter("Range", str, OpenApiParameter.HEADER, description="bytes=起-止，只取一段"),
    OpenApiParameter("If-Range", str, OpenApiParameter.HEADER, description="上次的 ETag；文件变了就返回整个部分"),
]


def _documented(operation: str, summary: str, answers: dict[Any, Any], body: Any = None, more: Any = ()) -> Any:
    return extend_schema(
        operation_id=operation,
        summary=summary,
        auth=[],
        parameters=[*HEADERS, *more],
        request=body,
        responses={**answers, **refusals_by_status()},
    )


class OpenJob(CallView):
    """Order a copy in parts (发起批量作业)."""

    @_documented("calls_job_open", "发起批量作业", {202: JobOut}, JobIn)  # type: ignore[untyped-decorator]
    def post(self, request: Request, uid: str) -> HttpResponseBase:
        """Order; a worker writes the parts."""
        return self.handle(request)


class Job(CallView):
    """One job (批量作业)."""

    @_documented("calls_job_show", "查看批量作业", {200: JobOut})  # type: ignore[untyped-decorator]
    def get(self, request: Request, uid: str, job: str) -> HttpResponseBase:
        """Tell its state and manifest."""
        return self.handle(request)

    @_documented("calls_job_cancel", "取消批量作业", {200: JobOut})  # type: ignore[untyped-decorator]
    def delete(self, request: Request, uid: str, job: str) -> HttpResponseBase:
        """Cancel it; its files are removed."""
        return self.handle(request)


class Part(CallView):
    """One part of a job (领取部分)."""

    @_documented("calls_job_part", "领取批量作业的一部分", FILES, more=RANGES)  # type: ignore[untyped-decorator]
    def get(self, request: Request, uid: str, job: str, number: int) -> HttpResponseBase:
        """Hand it over, whole or by range."""
        return self.handle(request)


class Subscribe(CallView):
    """Follow what changes (变更订阅)."""

    @_documented("calls_subscribe", "变更订阅", {200: SubscribeOut}, SubscribeIn)  # type: ignore[untyped-decorator]
    def post(self, request: Request, uid: str) -> HttpResponseBase:
        """Answer the page behind a timepoint."""
        return self.handle(request)


urlpatterns = [
    path("calls/<uuid:uid>/jobs", OpenJob.as_view(), name="call-jobs"),
    path("calls/<uuid:uid>/jobs/<uuid:job>", Job.as_view(), name="call-job"),
    path("calls/<uuid:uid>/jobs/<uuid:job>/parts/<int:number>", Part.as_view(), name="call-part"),
    path("calls/<uuid:uid>/subscribe", Subscribe.as_view(), name="call-subscribe"),
]
