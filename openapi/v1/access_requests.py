"""Access requests (共享申请) at the door for systems: reading, drafting and submitting, giving commands."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import SharingMode
from core.errors import Invalid, NotFound
from core.submissions import digest_of, once
from exchange.models import AccessRequest, Desk, RequestState, ReturningSide, Route
from exchange.querysets import access_requests_visible_to
from exchange.requests import access_requests
from exchange.requests.request_terms import MAX_QUOTA_PER_DAY, NO_LIMITS, Terms
from exchange.requests.workflow import Command
from openapi.authentication import actor
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer
from openapi.v1.limits import LimitsIn, LimitsOut, limits_of

COMMANDS = [command.value.lower() for command in Command if command not in (Command.EDIT, Command.CLOSE)]
KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description="同一个值重复提交只生效一次，最长 64 个字符",
)


class StepOut(serializers.Serializer[Any]):
    """A step that was taken."""

    at = serializers.DateTimeField()
    command = serializers.CharField()
    desk = serializers.CharField()
    actor = serializers.CharField(source="actor_name")
    department = serializers.CharField(source="actor_department")
    reason = serializers.CharField()
    to_state = serializers.CharField()


class AccessRequestOut(LimitsOut):
    """A request as it is read; `desk` has the ball until `due_at`.

    `answer_due_at` is the limit of the whole answer; it is empty while the clock stands still (RETURNED).
    """

    uid = serializers.UUIDField()
    number = serializers.CharField()
    revision = serializers.IntegerField()
    state = serializers.ChoiceField(choices=RequestState.choices)
    route = serializers.ChoiceField(choices=Route.choices, allow_blank=True)
    desk = serializers.ChoiceField(choices=Desk.choices)
    due_at = serializers.DateTimeField(allow_null=True)
    answer_due_at = serializers.DateTimeField(allow_null=True)
    returned_from = serializers.ChoiceField(choices=RequestState.choices, allow_blank=True)
    resource = serializers.UUIDField(source="resource.uid")
    resource_version = serializers.IntegerField()
    requester = serializers.UUIDField(source="requester.uid")
    system = serializers.UUIDField(source="system.uid")
    mode = serializers.ChoiceField(choices=SharingMode.choices)
    fields_ = serializers.ListField(child=serializers.CharField())
    purpose = serializers.CharField()
    legal_basis = serializers.CharField()
    scenario = serializers.CharField()
    scope = serializers.CharField()
    region_prefix = serializers.CharField()
    quota_per_day = serializers.IntegerField()
    term_from = serializers.DateField()
    term_to = serializers.DateField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    refusal_reason = serializers.CharField()
    grant = serializers.SerializerMethodField()

    def get_fields(self) -> dict[str, Any]:
        """Name the items `fields`, which the class itself may not."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}

    def get_grant(self, access_request: AccessRequest) -> UUID | None:
        """Return the grant an approval made."""
        grant = getattr(access_request, "grant", None)
        return grant.uid if grant else None


class MaterialReturnOut(serializers.Serializer[Any]):
    """What one side asked to be completed, and which answers changed: name to old and new."""

    side = serializers.ChoiceField(choices=ReturningSide.choices)
    returned_at = serializers.DateTimeField()
    missing = serializers.CharField()
    resubmitted_at = serializers.DateTimeField(allow_null=True)
    answer_days_left = serializers.IntegerField(allow_null=True)
    changes = serializers.DictField(child=serializers.ListField())


class AccessRequestDetailOut(AccessRequestOut):
    """A request with its steps and returns."""

    steps = StepOut(many=True, source="steps.all")
    returns = MaterialReturnOut(many=True, source="returns.all")


class AccessRequestIn(LimitsIn):
    """What is asked for."""

    resource = serializers.UUIDField()
    system = serializers.UUIDField()
    mode = serializers.ChoiceField(choices=SharingMode.choices)
    fields_ = serializers.ListField(child=serializers.CharField(max_length=40), allow_empty=False, max_length=200)
    purpose = serializers.CharField(max_length=200)
    legal_basis = serializers.CharField(max_length=500)
    scenario = serializers.CharField(max_length=500)
    scope = serializers.CharField(max_length=500, allow_blank=True, default="")
    region_prefix = serializers.CharField(max_length=12, allow_blank=True, default="")
    quota_per_day = serializers.IntegerField(min_value=1, max_value=MAX_QUOTA_PER_DAY, default=1000)
    term_from = serializers.DateField()
    term_to = serializers.DateField()
    submit = serializers.BooleanField(default=True, help_text="false 时只存为草稿")

    def get_fields(self) -> dict[str, Any]:
        """Name the items `fields`, which the class itself may not."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class TermsIn(AccessRequestIn):
    """Everything a draft or a returned request says, and the revision it was read at."""

    revision = serializers.IntegerField(min_value=1)
    submit = serializers.BooleanField(default=False, help_text="true 时随即提交；退回补正的申请为再次提交")

    def get_fields(self) -> dict[str, Any]:
        """Leave the resource out: a request keeps its own."""
        return {name: field for name, field in super().get_fields().items() if name != "resource"}


class CommandIn(StrictSerializer):
    """A command's opinion or reason, and the revision it was decided on."""

    revision = serializers.IntegerField(min_value=1, required=False)
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class AccessRequestList(generics.ListAPIView[AccessRequest]):
    """The requests one may see; a new one by POST."""

    permission_classes = (ForBusinessAndAudit,)

    serializer_class = AccessRequestOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[AccessRequest]:
        """Return what the actor may see."""
        return _with_names(access_requests_visible_to(actor(self.request)))

    @extend_schema(
        operation_id="access_requests_create", parameters=[KEY], request=AccessRequestIn, responses={201: AccessRequestDetailOut}
    )
    def post(self, request: Request) -> Response:
        """Draft a request for the own department and submit it (once a key)."""
        serializer = AccessRequestIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        key = request.headers.get("Idempotency-Key", "")
        if not key.isascii() or not key.isprintable() or not 1 <= len(key) <= 64:
            fault = _("请求头 Idempotency-Key 必填，1 至 64 个可见字符。")
            raise Invalid("request.idempotency_key", fault, {"Idempotency-Key": [fault]})
        who = actor(request)

        def make() -> str:
            made = access_requests.draft(
                resource_uid=given["resource"], terms=terms_of(given), actor=who, now=timezone.now(), submit=given["submit"]
            )
            return str(made.uid)

        uid, is_new = once(owner=f"rest:{who.user_id}", token=key, digest=digest_of(given), make=make)
        return Response(AccessRequestDetailOut(_visible(request, UUID(uid))).data, status=201 if is_new else 200)


class AccessRequestDetail(APIView):
    """One request with its steps."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(responses=AccessRequestDetailOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return the request."""
        return Response(AccessRequestDetailOut(_visible(request, uid)).data)

    @extend_schema(operation_id="access_requests_replace", request=TermsIn, responses=AccessRequestDetailOut)
    def put(self, request: Request, uid: UUID) -> Response:
        """Replace what a draft or a returned request says, and submit it if asked to; a stale revision gets 409."""
        _visible(request, uid)
        serializer = TermsIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        access_requests.edit(
            request_uid=uid,
            revision=given["revision"],
            terms=terms_of(given),
            actor=actor(request),
            now=timezone.now(),
            submit=given["submit"],
        )
        return Response(AccessRequestDetailOut(_visible(request, uid)).data)


class AccessRequestCommand(APIView):
    """Give a command to a request."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(
        parameters=[OpenApiParameter("command", str, OpenApiParameter.PATH, enum=COMMANDS)],
        operation_id="access_requests_command",
        request=CommandIn,
        responses=AccessRequestDetailOut,
    )
    def post(self, request: Request, uid: UUID, command: str) -> Response:
        """Submit, endorse, check, clear, return, resubmit, approve, confirm, refuse or withdraw.

        A refusal and a return need a reason; a return names everything that is missing, once.
        """
        if command not in COMMANDS:
            raise NotFound("request.not_found", _("没有这个资源，或您无权查看。"))
        serializer = CommandIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        access_requests.carry_out(
            request_uid=uid,
            command=Command(command.upper()),
            actor=actor(request),
            now=timezone.now(),
            revision=given.get("revision"),
            reason=given["reason"],
        )
        return Response(AccessRequestDetailOut(_visible(request, uid)).data)


def terms_of(given: dict[str, Any]) -> Terms:
    """Return a parsed body as the rules' terms."""
    texts = {name: str(given[name]).replace("\r\n", "\n").strip() for name in ("purpose", "legal_basis", "scenario", "scope")}
    first: date = given["term_from"]
    return Terms(
        system=str(given["system"]),
        mode=given["mode"],
        fields=tuple(given["fields"]),
        term_from=first,
        term_to=given["term_to"],
        region_prefix=given["region_prefix"],
        quota_per_day=given["quota_per_day"],
        limits=limits_of(given, NO_LIMITS),
        **texts,
    )


def _visible(request: Request, uid: UUID) -> AccessRequest:
    found = _with_names(access_requests_visible_to(actor(request))).filter(uid=uid).first()
    if found is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    return found


def _with_names(rows: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
    return rows.select_related("resource", "requester", "system", "grant")


urlpatterns = [
    path("access-requests", AccessRequestList.as_view(), name="access-request-list"),
    path("access-requests/<uuid:uid>", AccessRequestDetail.as_view(), name="access-request-detail"),
    path("access-requests/<uuid:uid>/<str:command>", AccessRequestCommand.as_view(), name="access-request-command"),
]
