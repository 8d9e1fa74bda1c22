"""Sources and relays upward (数据源与上级转报) at the door for systems: how sources stand, reporting a request, its receipts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFound
from exchange.models import BreakerState, ReceiptOrigin, RelayState, SourceConnection, UpstreamInterface, UpstreamRelay
from exchange.sources import registering
from exchange.upstream import relays
from openapi.authentication import actor
from openapi.idempotency import create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusiness
from openapi.serializers import StrictSerializer
from openapi.v1.access_requests import KEY


class SourceOut(serializers.Serializer[Any]):
    """A source as it stands; neither its account nor its secret."""

    uid = serializers.UUIDField()
    title = serializers.CharField()
    department = serializers.UUIDField(source="department.uid")
    is_active = serializers.BooleanField()
    breaker_state = serializers.ChoiceField(choices=BreakerState.choices)
    breaker_changed_at = serializers.DateTimeField(allow_null=True)
    tested_at = serializers.DateTimeField(allow_null=True)
    test_outcome = serializers.CharField(allow_blank=True)


class TableList(generics.ListAPIView[SourceConnection]):
    """The tables of departments one may see."""

    permission_classes = (ForBusiness,)
    serializer_class = SourceOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[SourceConnection]:
        """Return what the actor may see."""
        return registering.connections_visible_to(actor(self.request))


class InterfaceList(generics.ListAPIView[UpstreamInterface]):
    """The interfaces above one may see."""

    permission_classes = (ForBusiness,)
    serializer_class = SourceOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[UpstreamInterface]:
        """Return what the actor may see."""
        return registering.interfaces_visible_to(actor(self.request))


class ReceiptOut(serializers.Serializer[Any]):
    """One thing that was sent above or heard from there."""

    at = serializers.DateTimeField()
    state = serializers.IntegerField()
    document_number = serializers.CharField()
    origin = serializers.ChoiceField(choices=ReceiptOrigin.choices)


class RelayOut(serializers.Serializer[Any]):
    """A request on its way above, with everything that was heard."""

    uid = serializers.UUIDField()
    state = serializers.IntegerField()
    external_id = serializers.CharField(allow_blank=True)
    reported_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)
    receipts = ReceiptOut(many=True)


class ReportIn(StrictSerializer):
    """A request reported upward."""

    document_number = serializers.CharField(max_length=64)
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    external_id = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)


class ReceiptIn(ReportIn):
    """What came back."""

    state = serializers.IntegerField(min_value=RelayState.REJECTED_LOCALLY.value, max_value=RelayState.REFUSED.value)


def _found(request: Request, uid: UUID) -> UpstreamRelay:
    relay = relays.relays_visible_to(actor(request)).filter(access_request__uid=uid).first()
    if relay is None:
        raise NotFound("upstream.relay_not_found", _("这项申请没有转报上级，或您无权查看。"))
    return relay


class Relay(APIView):
    """The relay of a request."""

    permission_classes = (ForBusiness,)

    @extend_schema(operation_id="access_request_relay_read", responses=RelayOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return where the request stands above."""
        return Response(RelayOut(_found(request, uid)).data)

    @extend_schema(operation_id="access_request_relay_report", parameters=[KEY], request=ReportIn, responses={201: RelayOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Report the request upward, as the data centre (once a key)."""
        relays.check_relayer(request_uid=uid, actor=actor(request))
        form = ReportIn(data=request.data)
        form.is_valid(raise_exception=True)
        given, who = form.validated_data, actor(request)

        def make() -> str:
            return str(relays.report(request_uid=uid, actor=who, now=timezone.now(), **given).uid)

        _uid, is_new = create_once(request, {**given, "request": str(uid)}, make)
        return Response(RelayOut(_found(request, uid)).data, status=201 if is_new else 200)


class Receipts(APIView):
    """The receipts of a request's relay."""

    permission_classes = (ForBusiness,)

    @extend_schema(operation_id="access_request_receipts_create", parameters=[KEY], request=ReceiptIn, responses={201: RelayOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Record what came back, as the data centre (once a key)."""
        relays.check_relayer(request_uid=uid, actor=actor(request))
        form = ReceiptIn(data=request.data)
        form.is_valid(raise_exception=True)
        given, who = form.validated_data, actor(request)

        def make() -> str:
            return str(relays.record_receipt(request_uid=uid, actor=who, now=timezone.now(), **given).uid)

        _uid, is_new = create_once(request, {**given, "request": str(uid)}, make)
        return Response(RelayOut(_found(request, uid)).data, status=201 if is_new else 200)


urlpatterns = [
    path("sources/tables", TableList.as_view(), name="source-tables"),
    path("sources/interfaces", InterfaceList.as_view(), name="source-interfaces"),
    path("access-requests/<uuid:uid>/relay", Relay.as_view(), name="request-relay"),
    path("access-requests/<uuid:uid>/receipts", Receipts.as_view(), name="request-receipts"),
]
