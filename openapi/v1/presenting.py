"""Presenting (亮证) as the OpenAPI description tells of it; what changes something is served by `openapi.presenting`.

Where a presentation or a code stands is read here: a system signs its GET, a phone carries its cookie.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Forbidden
from exchange.presenting.refusals import REFUSALS
from exchange.presenting.scanning import state_of
from licenses.models import CodeState
from licenses.presenting import codes, sessions
from licenses.presenting.running import through_django
from openapi.presenting import application
from openapi.signed import CallingSystem, SignedAuthentication
from openapi.v1.calls import HEADERS

RETRY_SECONDS = 2


class ItemIn(serializers.Serializer[Any]):
    """An item that is asked for."""

    name = serializers.CharField()
    title = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]


class AskedType(serializers.Serializer[Any]):
    """What is asked of the licenses of one type."""

    type_code = serializers.CharField()
    items = ItemIn(many=True)


class PresentationIn(serializers.Serializer[Any]):
    """A code as it was scanned, for which matter, under which grant."""

    code = serializers.CharField(max_length=40, help_text="亮证码文本，扫码或录入")
    matter = serializers.CharField(max_length=64, help_text="事项编码，须在用证清单中")
    grant = serializers.UUIDField(help_text="电子证照查询授权的编号")
    officer = serializers.CharField(max_length=40, required=False)
    case = serializers.CharField(max_length=40, required=False)


class MatterOut(serializers.Serializer[Any]):
    """The matter by code and title."""

    code = serializers.CharField()
    title = serializers.CharField()


class PresentationOut(serializers.Serializer[Any]):
    """What the holder is asked now."""

    presentation = serializers.UUIDField()
    state = serializers.ChoiceField(choices=["SCANNED"])
    matter = MatterOut()
    purpose = serializers.CharField()
    asked = AskedType(many=True)
    answer_until = serializers.DateTimeField()


class PresentationState(serializers.Serializer[Any]):
    """Where a presentation stands."""

    presentation = serializers.UUIDField()
    state = serializers.ChoiceField(choices=[*CodeState.values, "EXPIRED"])
    may_read = serializers.BooleanField()
    is_over = serializers.BooleanField()
    code = serializers.CharField(help_text="不能读取的原因，空为可以读取")
    answer_until = serializers.DateTimeField(allow_null=True)
    read_until = serializers.DateTimeField(allow_null=True)
    scanned_again = serializers.IntegerField(help_text="同一亮证码被再次扫描并拒绝的次数")


class ReadIn(serializers.Serializer[Any]):
    """The grant of the scan."""

    grant = serializers.UUIDField()
    officer = serializers.CharField(max_length=40, required=False)
    case = serializers.CharField(max_length=40, required=False)


class PresentedLicense(serializers.Serializer[Any]):
    """A license the holder agreed to show: the items agreed to, text or null."""

    type_code = serializers.CharField()
    title = serializers.CharField()
    items = serializers.DictField(child=serializers.CharField(allow_null=True))


class PresentedOut(serializers.Serializer[Any]):
    """What was handed over, once."""

    call_id = serializers.UUIDField()
    presentation = serializers.UUIDField()
    matter = serializers.CharField()
    licenses = PresentedLicense(many=True)


class NamedHolderIn(serializers.Serializer[Any]):
    """A citizen (citizen_id) or an enterprise (uscc), with the name."""

    citizen_id = serializers.CharField(required=False)
    uscc = serializers.CharField(required=False)
    name = serializers.CharField()


class HolderSessionIn(serializers.Serializer[Any]):
    """Who is at the phone; `agent` is the person who acts for an enterprise."""

    holder = NamedHolderIn()
    agent = NamedHolderIn(required=False)
    assurance = serializers.IntegerField(min_value=1, max_value=3, help_text="身份核验等级：2 实名，3 实人")


class HolderSessionOut(serializers.Serializer[Any]):
    """The address to open in the holder's browser, once, within two minutes."""

    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


class CodeIn(serializers.Serializer[Any]):
    """Which of the own licenses; none means all."""

    licenses = serializers.ListField(child=serializers.CharField(max_length=32), required=False)


class CodeOut(serializers.Serializer[Any]):
    """A code to show, and until when it may be scanned."""

    code = serializers.CharField()
    uid = serializers.UUIDField()
    expires_at = serializers.DateTimeField()


class AnswerIn(serializers.Serializer[Any]):
    """Yes to all, yes to some items by license row, or no."""

    answer = serializers.ChoiceField(choices=["confirm", "refuse"])
    items = serializers.DictField(child=serializers.ListField(child=serializers.CharField()), required=False)


class AnswerOut(serializers.Serializer[Any]):
    """The answer as taken."""

    uid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=["CONFIRMED", "REFUSED"])
    read_until = serializers.DateTimeField(allow_null=True)


def _refusals() -> dict[Any, Any]:
    told: dict[int, list[str]] = {}
    for code, (status, message) in REFUSALS.items():
        told.setdefault(status, []).append(f"`{code}` {message}")
    return {
        status: OpenApiResponse(description="；".join(lines), response={"$ref": "#/components/schemas/Error"})
        for status, lines in told.items()
    }


def _documented(operation: str, summary: str, body: Any, answer: Any, status: int, *, is_signed: bool = True) -> Any:
    return extend_schema(
        operation_id=operation,
        summary=summary,
        auth=[],
        parameters=HEADERS if is_signed else [],
        request=body,
        responses={status: answer, **_refusals()},
    )


class PresentingView(APIView):
    """Hands the request over as it came."""

    authentication_classes = ()
    permission_classes = ()

    def handle(self, request: Request) -> HttpResponse:
        """Ask the callable of the door."""
        plain: HttpRequest = request._request
        started: list[Any] = []
        body = application(plain.META, lambda status, headers: started.extend((status, headers)))
        return HttpResponse(b"".join(body), status=int(started[0].split(" ", 1)[0]), headers=dict(started[1]))


class Presentations(PresentingView):
    """Scanning."""

    @_documented("presentations_scan", "扫描亮证码", PresentationIn, PresentationOut, 201)  # type: ignore[untyped-decorator]
    def post(self, request: Request) -> HttpResponse:
        """Take a code over for a matter."""
        return self.handle(request)


class PresentationRead(PresentingView):
    """Reading."""

    @_documented("presentations_read", "读取持证人同意出示的内容（一次）", ReadIn, PresentedOut, 200)  # type: ignore[untyped-decorator]
    def post(self, request: Request, uid: UUID) -> HttpResponse:
        """Answer the items the holder agreed to."""
        return self.handle(request)


class HolderSessions(PresentingView):
    """Identity applications."""

    @_documented("holder_sessions_open", "可信身份应用打开持证人会话", HolderSessionIn, HolderSessionOut, 201)  # type: ignore[untyped-decorator]
    def post(self, request: Request) -> HttpResponse:
        """Return the address for the holder's browser."""
        return self.handle(request)


class HolderCodes(PresentingView):
    """Codes of a phone."""

    @_documented("holder_codes_create", "生成亮证码（持证人会话）", CodeIn, CodeOut, 201, is_signed=False)  # type: ignore[untyped-decorator]
    def post(self, request: Request) -> HttpResponse:
        """Return a code."""
        return self.handle(request)


class HolderAnswer(PresentingView):
    """Answers of a phone."""

    @_documented("holder_codes_answer", "确认或拒绝出示", AnswerIn, AnswerOut, 200, is_signed=False)  # type: ignore[untyped-decorator]
    def post(self, request: Request, uid: UUID) -> HttpResponse:
        """Take the answer."""
        return self.handle(request)


class PresentationDetail(APIView):
    """Where a presentation stands; 202 with Retry-After while somebody still has to act."""

    authentication_classes = (SignedAuthentication,)
    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="presentations_state",
        summary="查询出示状态",
        parameters=HEADERS,
        responses={200: PresentationState, 202: PresentationState},
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """Return the state to the system that scanned."""
        who = request.user
        if not isinstance(who, CallingSystem):
            raise Forbidden("role.required", REFUSALS["presenting.not_found"][1])
        told = state_of(str(uid), who.system_id, timezone.now(), through_django)
        waits = not told["may_read"] and not told["is_over"]
        headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(RETRY_SECONDS)} if waits else {})
        return Response(PresentationState(told).data, status=202 if waits else 200, headers=headers)


class HolderCode(APIView):
    """Where a code of this phone stands."""

    authentication_classes = ()
    permission_classes = ()

    @extend_schema(operation_id="holder_codes_state", summary="查询亮证码状态（持证人会话）", auth=[], responses=dict[str, Any])
    def get(self, request: Request, uid: UUID) -> Response:
        """Return state, who scanned and what is asked."""
        now = timezone.now()
        session = sessions.find(token=request.COOKIES.get(sessions.COOKIE, ""), now=now)
        code = codes.own_code(session=session, uid=uid)
        told = {
            "uid": code.uid,
            "state": code.state,
            "department": code.department_name,
            "system": code.system_name,
            "matter": code.matter_title,
            "purpose": code.purpose,
            "basis": code.basis,
            "asked": code.asked,
            "answer_until": code.answer_until,
            "scanned_again": code.rescans,
        }
        return Response(told, headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("presentations", Presentations.as_view(), name="presentation-scan"),
    path("presentations/<uuid:uid>", PresentationDetail.as_view(), name="presentation-detail"),
    path("presentations/<uuid:uid>/read", PresentationRead.as_view(), name="presentation-read"),
    path("holder-sessions", HolderSessions.as_view(), name="holder-session-open"),
    path("holder/codes", HolderCodes.as_view(), name="holder-code-create"),
    path("holder/codes/<uuid:uid>", HolderCode.as_view(), name="holder-code-detail"),
    path("holder/codes/<uuid:uid>/answer", HolderAnswer.as_view(), name="holder-code-answer"),
]
