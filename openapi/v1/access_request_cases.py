"""The case of an access request at the door for systems: extensions of the answer, supervision notices and replies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFound
from exchange.models import AccessRequest, ClockExtension, Desk, ExtensionState, SupervisionNotice
from exchange.querysets import access_requests_visible_to
from exchange.requests import extensions, supervision
from openapi.authentication import actor
from openapi.idempotency import create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer
from openapi.v1.access_requests import KEY

DECISIONS = ("consent", "refuse")


class ExtensionOut(serializers.Serializer[Any]):
    """An extension; the deadline moved only when it was consented to."""

    uid = serializers.UUIDField()
    desk = serializers.ChoiceField(choices=Desk.choices)
    days = serializers.IntegerField()
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=ExtensionState.choices)
    asked_by = serializers.CharField(source="asked_by_name")
    asked_at = serializers.DateTimeField()
    decided_by = serializers.CharField(source="decided_by_name")
    decided_at = serializers.DateTimeField(allow_null=True)
    decision_reason = serializers.CharField()
    old_due_at = serializers.DateTimeField(allow_null=True)
    new_due_at = serializers.DateTimeField(allow_null=True)


class ExtensionIn(StrictSerializer):
    """How many working days more, and the special reason."""

    days = serializers.IntegerField(min_value=1, max_value=10)
    reason = serializers.CharField(max_length=500)


class DecisionIn(StrictSerializer):
    """An opinion; a refusal needs one."""

    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class NoticeOut(serializers.Serializer[Any]):
    """A supervision notice and its reply."""

    uid = serializers.UUIDField()
    access_request = serializers.UUIDField(source="access_request.uid")
    department = serializers.UUIDField(source="department.uid")
    desk = serializers.ChoiceField(choices=Desk.choices)
    text = serializers.CharField()
    due_at = serializers.DateTimeField()
    issued_by = serializers.CharField(source="issued_by_name")
    issued_at = serializers.DateTimeField()
    reply = serializers.CharField()
    replied_by = serializers.CharField(source="replied_by_name")
    replied_at = serializers.DateTimeField(allow_null=True)


class TextIn(StrictSerializer):
    """The text of a notice or of a reply."""

    text = serializers.CharField(max_length=500)


class ExtensionList(APIView):
    """The extensions of a request; the desk that has the ball asks for one by POST."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="access_request_extensions_list", responses=ExtensionOut(many=True))
    def get(self, request: Request, uid: UUID) -> Response:
        """Return the extensions, the first one first."""
        return Response(ExtensionOut(_visible(request, uid).extensions.order_by("id"), many=True).data)

    @extend_schema(
        operation_id="access_request_extensions_create", parameters=[KEY], request=ExtensionIn, responses={201: ExtensionOut}
    )
    def post(self, request: Request, uid: UUID) -> Response:
        """Ask for an extension of the answer (once a key)."""
        _visible(request, uid)
        given = _given(ExtensionIn, request)
        who = actor(request)

        def make() -> str:
            asked = extensions.ask(request_uid=uid, days=given["days"], reason=given["reason"], actor=who, now=timezone.now())
            return str(asked.uid)

        made, is_new = create_once(request, {**given, "request": str(uid)}, make)
        return Response(ExtensionOut(ClockExtension.objects.get(uid=made)).data, status=201 if is_new else 200)


class ExtensionDecision(APIView):
    """Consent to an extension or refuse it."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(
        operation_id="access_request_extensions_decide",
        parameters=[OpenApiParameter("decision", str, OpenApiParameter.PATH, enum=DECISIONS)],
        request=DecisionIn,
        responses=ExtensionOut,
    )
    def post(self, request: Request, uid: UUID, extension: UUID, decision: str) -> Response:
        """Consent or refuse, as the data centre; a refusal needs a reason."""
        if decision not in DECISIONS or not _visible(request, uid).extensions.filter(uid=extension).exists():
            raise NotFound("request.not_found", _("没有这个资源，或您无权查看。"))
        reason = _given(DecisionIn, request)["reason"]
        done = extensions.decide(
            extension_uid=extension, consent=decision == "consent", reason=reason, actor=actor(request), now=timezone.now()
        )
        return Response(ExtensionOut(done).data)


class NoticeList(generics.ListAPIView[SupervisionNotice]):
    """The supervision notices one may see, the newest first."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = NoticeOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[SupervisionNotice]:
        """Return what the actor may see."""
        return supervision.notices_visible_to(actor(self.request))


class RequestNotices(APIView):
    """Issue a supervision notice on a request."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="supervision_notices_create", parameters=[KEY], request=TextIn, responses={201: NoticeOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Ask the desk that is late, or soon will be, why (once a key)."""
        _visible(request, uid)
        given, who = _given(TextIn, request), actor(request)

        def make() -> str:
            notice = supervision.issue_notice(request_uid=uid, text=given["text"], actor=who, now=timezone.now())
            return str(notice.uid)

        made, is_new = create_once(request, {**given, "request": str(uid)}, make)
        return Response(NoticeOut(SupervisionNotice.objects.get(uid=made)).data, status=201 if is_new else 200)


class NoticeReply(APIView):
    """Reply to a supervision notice."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="supervision_notices_reply", request=TextIn, responses=NoticeOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """Reply, as somebody of the desk it was issued to; once."""
        requests = access_requests_visible_to(actor(request))
        if not SupervisionNotice.objects.filter(uid=uid, access_request__in=requests).exists():
            raise NotFound("request.not_found", _("没有这个资源，或您无权查看。"))
        text = _given(TextIn, request)["text"]
        return Response(NoticeOut(supervision.reply(notice_uid=uid, text=text, actor=actor(request), now=timezone.now())).data)


def _given(kind: type[StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = kind(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _visible(request: Request, uid: UUID) -> AccessRequest:
    found = access_requests_visible_to(actor(request)).filter(uid=uid).first()
    if found is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    return found


urlpatterns = [
    path("access-requests/<uuid:uid>/extensions", ExtensionList.as_view(), name="access-request-extensions"),
    path(
        "access-requests/<uuid:uid>/extensions/<uuid:extension>/<str:decision>",
        ExtensionDecision.as_view(),
        name="access-request-extension-decision",
    ),
    path("access-requests/<uuid:uid>/supervision-notices", RequestNotices.as_view(), name="access-request-notices"),
    path("supervision-notices", NoticeList.as_view(), name="supervision-notice-list"),
    path("supervision-notices/<uuid:uid>/reply", NoticeReply.as_view(), name="supervision-notice-reply"),
]
