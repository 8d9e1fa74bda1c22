"""Exchange calls as the OpenAPI description tells of them. They are served by `openapi.calls`, beside Django.

The views here document; a server that does not dispatch by path (the development server, the test client) reaches them,
and they hand the request to the very same callable. The codes are read from the one table of refusals.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from exchange.calls.refusals import REFUSALS
from openapi.calls import application
from openapi.v1.call_batches import (
    CallIn,
    KeyIn,
    LimitField,
    ManyRowsOut,
    QueryBatchIn,
    QueryBatchOut,
    VerdictField,
    VerificationIn,
    VerifyBatchIn,
    VerifyBatchOut,
    one_of,
)

STREAMED = "text/csv"


class QueryIn(CallIn):
    """Key and, if fewer than all granted items are wanted, their names."""

    key = KeyIn()
    fields = serializers.ListField(child=serializers.CharField(max_length=40), required=False)  # type: ignore[assignment]
    limit = LimitField()


class VerifyIn(VerificationIn):
    """Key and the values to compare, item by item."""

    key = KeyIn()
    attributes = serializers.DictField(child=serializers.CharField(max_length=500))


class BulkIn(CallIn):
    """Items and format of a bulk answer."""

    fields = serializers.ListField(child=serializers.CharField(max_length=40), required=False)  # type: ignore[assignment]
    format = serializers.ChoiceField(choices=["csv"], required=False)


class QueryOut(ManyRowsOut):
    """The granted items of one subject, masked as granted; all values are text or null."""

    call_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=["found", "not_found"])
    data = serializers.DictField(child=serializers.CharField(allow_null=True), allow_null=True, required=False)  # type: ignore[assignment]
    as_of = serializers.DateTimeField()


class VerifyOut(serializers.Serializer[Any]):
    """One word an attribute, with `details` its source and day, with `score` the share that agrees; and never any data."""

    call_id = serializers.UUIDField()
    result = serializers.DictField(child=VerdictField())
    score = serializers.FloatField(allow_null=True, required=False)


QUERY_BODY = one_of("QueryBody", QueryIn, QueryBatchIn)
VERIFY_BODY = one_of("VerifyBody", VerifyIn, VerifyBatchIn)
QUERY_ANSWER = one_of("QueryAnswer", QueryOut, QueryBatchOut)
VERIFY_ANSWER = one_of("VerifyAnswer", VerifyOut, VerifyBatchOut)


def _header(name: str, pattern: str, description: str, *, required: bool = True) -> OpenApiParameter:
    return OpenApiParameter(
        name, {"type": "string", "pattern": pattern}, OpenApiParameter.HEADER, required=required, description=description
    )


HEADERS = [
    _header("X-Gov-Key", "^[A-Za-z0-9_-]{1,40}$", "应用标识"),
    _header("X-Gov-Timestamp", "^[0-9]{13}$", "签名时间，1970 年以来的毫秒数；与平台时间相差不得超过 5 分钟"),
    _header("X-Gov-Nonce", "^[A-Za-z0-9_-]{8,64}$", "随机数，每次调用不同"),
    _header("X-Gov-Digest", "^[0-9a-f]{64}$", "请求体 SHA-256 摘要的十六进制"),
    _header(
        "X-Gov-Signature",
        "^[A-Za-z0-9+/=]+$",
        "对 POST\\n路径\\n签名时间\\n随机数\\n摘要 的签名，Base64：HMAC、SM2（DER）或 Ed25519",
    ),
    _header("X-Gov-Algorithm", "^(HMAC-(SHA256|SM3)|SM2|ED25519)$", "签名算法，须与凭证一致", required=False),
]


def refusals_by_status() -> dict[Any, Any]:
    """Return one documented answer a status, with every code that has it."""
    codes: dict[int, list[str]] = {}
    for code, verdict in REFUSALS.items():
        codes.setdefault(verdict.status, []).append(f"`{code}` {verdict.message}")
    return {
        status: OpenApiResponse(description="；".join(lines), response={"$ref": "#/components/schemas/Error"})
        for status, lines in codes.items()
    }


def _documented(operation: str, summary: str, body: Any, answer: Any) -> Any:
    return extend_schema(
        operation_id=operation,
        summary=summary,
        auth=[],
        parameters=HEADERS,
        request=body,
        responses={200 if answer is not STREAMED else (200, STREAMED): _answer(answer), **refusals_by_status()},
    )


def _answer(answer: Any) -> Any:
    return OpenApiTypes.BINARY if answer is STREAMED else answer


class CallView(APIView):
    """Hands the request over as it came: parsed, authenticated and limited by nobody before."""

    authentication_classes = ()
    permission_classes = ()

    def handle(self, request: Request) -> HttpResponseBase:
        """Ask the callable of the call door."""
        plain: HttpRequest = request._request
        started: list[Any] = []
        body = application(plain.META, lambda status, headers: started.extend((status, headers)))
        status = int(started[0].split(" ", 1)[0])
        kind = HttpResponse if isinstance(body, list) else StreamingHttpResponse
        return kind(body, status=status, headers=dict(started[1]))


class VerifyCall(CallView):
    """Compare values with the base database (比对验证)."""

    @_documented("calls_verify", "比对验证", VERIFY_BODY, VERIFY_ANSWER)  # type: ignore[untyped-decorator]
    def post(self, request: Request, uid: str) -> HttpResponseBase:
        """Answer yes, no or not available for each attribute."""
        return self.handle(request)


class QueryCall(CallView):
    """Read one subject's granted items (检索查询)."""

    @_documented("calls_query", "检索查询", QUERY_BODY, QUERY_ANSWER)  # type: ignore[untyped-decorator]
    def post(self, request: Request, uid: str) -> HttpResponseBase:
        """Answer the granted items of one subject."""
        return self.handle(request)


class BulkCall(CallView):
    """Copy all granted rows (批量复制)."""

    @_documented("calls_bulk", "批量复制", BulkIn, STREAMED)  # type: ignore[untyped-decorator]
    def post(self, request: Request, uid: str) -> HttpResponseBase:
        """Answer all granted rows as CSV."""
        return self.handle(request)


urlpatterns = [
    path("calls/<uuid:uid>/verify", VerifyCall.as_view(), name="call-verify"),
    path("calls/<uuid:uid>/query", QueryCall.as_view(), name="call-query"),
    path("calls/<uuid:uid>/bulk", BulkCall.as_view(), name="call-bulk"),
]
