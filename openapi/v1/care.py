"""Care for what was granted (授权之后) at the door for systems: alerts, usage, disposal, emergencies, holds, liabilities."""

from __future__ import annotations

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

from core.errors import NotFound
from exchange.care import alerts, break_glass, disposals, holds, usage_records
from exchange.care.liabilities import Ground, liabilities
from exchange.care.usage_records import LONGEST, Usage
from exchange.models import Alert, AlertKind, AlertState, BreakGlass, Disposal, DisposalState, LegalHold, UsageRecord
from openapi.authentication import actor
from openapi.idempotency import HEADER, create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusiness, ForBusinessAndAudit
from openapi.serializers import StrictSerializer

KEY = OpenApiParameter(HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER)


class ForKeepers(ForBusiness):
    """Open to the audit and the security administrator."""

    roles = holds.KEEPERS


class AlertOut(serializers.Serializer[Any]):
    """An alert; `evidence` holds counts only."""

    uid = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=AlertKind.choices)
    alert_state = serializers.ChoiceField(choices=AlertState.choices, source="state")
    grant = serializers.UUIDField(source="grant.uid", allow_null=True, default=None)
    system = serializers.UUIDField(source="system.uid")
    department = serializers.CharField(source="department.name")
    measure = serializers.IntegerField()
    threshold = serializers.IntegerField()
    evidence = serializers.DictField(child=serializers.IntegerField())
    opened_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    handled_by = serializers.CharField(source="handled_by_name")
    reason = serializers.CharField()


class HandleIn(StrictSerializer):
    """What is done about an alert; a dismissal needs its reason."""

    reason = serializers.CharField(max_length=400, required=False, allow_blank=True)
    put_right_by = serializers.DateField(required=False, help_text="只用于暂停，默认十天")


class UsageIn(StrictSerializer):
    """What was done with the data of a grant in a period."""

    first_day = serializers.DateField()
    last_day = serializers.DateField()
    scenario = serializers.CharField(max_length=LONGEST["scenario"])
    process = serializers.CharField(max_length=LONGEST["process"])
    results = serializers.CharField(max_length=LONGEST["results"])
    storage = serializers.CharField(max_length=LONGEST["storage"])
    destruction = serializers.CharField(max_length=LONGEST["destruction"])


class UsageOut(serializers.Serializer[Any]):
    """A usage record; one that `corrects` another stands for it."""

    uid = serializers.UUIDField()
    grant = serializers.UUIDField(source="grant.uid")
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    scenario = serializers.CharField()
    process = serializers.CharField()
    results = serializers.CharField()
    storage = serializers.CharField()
    destruction = serializers.CharField()
    corrects = serializers.UUIDField(source="corrects.uid", allow_null=True, default=None)
    correction_reason = serializers.CharField()
    recorded_by = serializers.CharField(source="recorded_by_name")
    recorded_at = serializers.DateTimeField()


class DisposalOut(serializers.Serializer[Any]):
    """A disposal and who has the ball."""

    uid = serializers.UUIDField()
    grant = serializers.UUIDField(source="grant.uid")
    disposal_state = serializers.ChoiceField(choices=DisposalState.choices, source="state")
    due_at = serializers.DateTimeField()
    manner = serializers.CharField()
    account = serializers.CharField()
    reported_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    opinion = serializers.CharField()


class EmergencyOut(serializers.Serializer[Any]):
    """An emergency access and which sides have not reviewed it yet."""

    uid = serializers.UUIDField()
    number = serializers.CharField()
    grant = serializers.UUIDField(source="grant.uid")
    incident_number = serializers.CharField()
    reason = serializers.CharField()
    hours = serializers.IntegerField()
    opened_by = serializers.CharField(source="opened_by_name")
    opened_at = serializers.DateTimeField()
    review_due_at = serializers.DateTimeField()
    sides_missing = serializers.SerializerMethodField()

    def get_sides_missing(self, found: BreakGlass) -> list[str]:
        """Return the sides that have the ball."""
        return [side.value for side in break_glass.sides_missing(found)]


class HoldOut(serializers.Serializer[Any]):
    """A legal hold; whom a hold on a subject is about is not told."""

    uid = serializers.UUIDField()
    number = serializers.CharField()
    case_number = serializers.CharField()
    reason = serializers.CharField()
    scope = serializers.CharField()
    grant = serializers.UUIDField(source="grant.uid", allow_null=True, default=None)
    access_request = serializers.UUIDField(source="access_request.uid", allow_null=True, default=None)
    first_day = serializers.DateField(allow_null=True)
    last_day = serializers.DateField(allow_null=True)
    placed_by = serializers.CharField(source="placed_by_name")
    placed_at = serializers.DateTimeField()
    released_by = serializers.CharField(source="released_by_name")
    released_at = serializers.DateTimeField(allow_null=True)


class LiabilityOut(serializers.Serializer[Any]):
    """One line of the liability checklist."""

    ground = serializers.ChoiceField(choices=[ground.value for ground in Ground])
    article = serializers.IntegerField(help_text="国务院令第809号的条")
    words = serializers.CharField()
    department = serializers.CharField(source="department.name")
    count = serializers.IntegerField()
    path = serializers.CharField(help_text="办理页面")


class AlertList(generics.ListAPIView[Alert]):
    """The alerts one may see."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = AlertOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Alert]:
        """Return what the actor may see."""
        return alerts.alerts_visible_to(actor(self.request))


class AlertHandle(APIView):
    """Acknowledge an alert, dismiss it, or suspend its grant."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(
        operation_id="alerts_handle",
        parameters=[OpenApiParameter("command", str, OpenApiParameter.PATH, enum=["acknowledge", "dismiss", "suspend"])],
        request=HandleIn,
        responses=AlertOut,
    )
    def post(self, request: Request, uid: UUID, command: str) -> Response:
        """Carry out the command; a suspension holds for the very next call."""
        serializer = HandleIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        reason, who, now = given.get("reason", ""), actor(request), timezone.now()
        if command == "acknowledge":
            done = alerts.acknowledge(alert_uid=uid, actor=who, now=now)
        elif command == "dismiss":
            done = alerts.dismiss(alert_uid=uid, reason=reason, actor=who, now=now)
        elif command == "suspend":
            done = alerts.suspend(alert_uid=uid, reason=reason, put_right_by=given.get("put_right_by"), actor=who, now=now)
        else:
            raise NotFound("request.not_found", _("没有这个资源，或您无权查看。"))
        return Response(AlertOut(done).data)


class UsageList(generics.ListAPIView[UsageRecord]):
    """The usage records one may see."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = UsageOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[UsageRecord]:
        """Return what the actor may see."""
        return usage_records.usage_visible_to(actor(self.request))


class UsageOfGrant(APIView):
    """Writing a usage record."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="usage_records_create", parameters=[KEY], request=UsageIn, responses={201: UsageOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Write down how the data of a grant was used in a period."""
        serializer = UsageIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given, who = serializer.validated_data, actor(request)

        def make() -> str:
            return str(usage_records.record(grant_uid=uid, usage=Usage(**given), actor=who, now=timezone.now()).uid)

        made, is_new = create_once(request, {**given, "grant": str(uid)}, make)
        found = usage_records.usage_visible_to(who).get(uid=made)
        return Response(UsageOut(found).data, status=201 if is_new else 200)


class DisposalList(generics.ListAPIView[Disposal]):
    """The disposals one may see."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = DisposalOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Disposal]:
        """Return what the actor may see."""
        return disposals.disposals_visible_to(actor(self.request))


class EmergencyList(generics.ListAPIView[BreakGlass]):
    """The emergency accesses one may see."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = EmergencyOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[BreakGlass]:
        """Return what the actor may see."""
        return break_glass.break_glass_visible_to(actor(self.request))


class HoldList(generics.ListAPIView[LegalHold]):
    """All legal holds, for the overseers."""

    permission_classes = (ForKeepers,)
    serializer_class = HoldOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[LegalHold]:
        """Return what the actor may see."""
        return holds.holds_visible_to(actor(self.request))


class LiabilityList(APIView):
    """The liability checklist."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="liabilities_list", responses=LiabilityOut(many=True))
    def get(self, request: Request) -> Response:
        """Return every line one may see, computed now."""
        return Response(LiabilityOut(liabilities(actor=actor(request), now=timezone.now()), many=True).data)


urlpatterns = [
    path("alerts", AlertList.as_view(), name="alert-list"),
    path("alerts/<uuid:uid>/<str:command>", AlertHandle.as_view(), name="alert-handle"),
    path("usage-records", UsageList.as_view(), name="usage-list"),
    path("grants/<uuid:uid>/usage-records", UsageOfGrant.as_view(), name="usage-create"),
    path("disposals", DisposalList.as_view(), name="disposal-list"),
    path("emergency-accesses", EmergencyList.as_view(), name="emergency-list"),
    path("legal-holds", HoldList.as_view(), name="hold-list"),
    path("liabilities", LiabilityList.as_view(), name="liability-list"),
]
