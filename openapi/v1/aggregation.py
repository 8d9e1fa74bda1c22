"""Aggregation (归集) at the door for systems: plans, their runs, starting a run and following it."""

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
from exchange.aggregation import plans
from exchange.aggregation.visibility import plans_visible_to, runs_visible_to, visible_plan
from exchange.models import AggregationPlan, AggregationRun, ConnectorKind, RunState
from openapi.authentication import actor
from openapi.idempotency import HEADER, create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusiness
from openapi.serializers import StrictSerializer

KEY = OpenApiParameter(HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER, description="同一个值重复提交只生效一次，最长 64 个字符")


class PlanOut(serializers.Serializer[Any]):
    """A plan, without its source's address and password."""

    uid = serializers.UUIDField()
    title = serializers.CharField()
    department = serializers.UUIDField(source="department.uid")
    dataset = serializers.CharField()
    connector = serializers.ChoiceField(choices=ConnectorKind.choices)
    every_minutes = serializers.IntegerField(allow_null=True)
    is_active = serializers.BooleanField()
    next_run_at = serializers.DateTimeField(allow_null=True)


class RunOut(serializers.Serializer[Any]):
    """A run as it stands; read = accepted + rejected, changed are those of the accepted that were new or different."""

    uid = serializers.UUIDField()
    plan = serializers.UUIDField(source="plan.uid")
    state = serializers.ChoiceField(choices=RunState.choices)
    is_replay = serializers.BooleanField()
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    expected_count = serializers.IntegerField(allow_null=True)
    read_count = serializers.IntegerField()
    accepted_count = serializers.IntegerField()
    changed_count = serializers.IntegerField()
    rejected_count = serializers.IntegerField()
    message = serializers.CharField()


class StartIn(StrictSerializer):
    """Starting a run takes no parameters."""


class PlanList(generics.ListAPIView[AggregationPlan]):
    """Plans the caller may see."""

    permission_classes = (ForBusiness,)

    serializer_class = PlanOut
    pagination_class = KeysetPagination
    ordering = ("id",)

    def get_queryset(self) -> QuerySet[AggregationPlan]:
        return plans_visible_to(actor(self.request))

    @extend_schema(operation_id="aggregation_plans")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class PlanRuns(generics.ListAPIView[AggregationRun]):
    """Runs of a plan, the newest first; POST starts one."""

    permission_classes = (ForBusiness,)

    serializer_class = RunOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[AggregationRun]:
        if getattr(self, "swagger_fake_view", False):
            return AggregationRun.objects.none()
        who = actor(self.request)
        return runs_visible_to(who).filter(plan=visible_plan(self.kwargs["uid"], who))

    @extend_schema(operation_id="aggregation_runs")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="aggregation_run_start", parameters=[KEY], request=StartIn, responses={201: RunOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Start a run; 409 while another one is under way."""
        given = StartIn(data=request.data)
        given.is_valid(raise_exception=True)
        who = actor(request)

        def make() -> str:
            return str(plans.queue_run(plan_uid=uid, actor=who, now=timezone.now()).uid)

        visible_plan(uid, who)
        run_uid, is_new = create_once(request, {"plan": str(uid)}, make)
        run = runs_visible_to(who).get(uid=run_uid)
        return Response(RunOut(run).data, status=201 if is_new else 200)


class RunDetail(APIView):
    """One run."""

    permission_classes = (ForBusiness,)

    @extend_schema(operation_id="aggregation_run", responses=RunOut)
    def get(self, request: Request, uid: UUID) -> Response:
        run = runs_visible_to(actor(request)).filter(uid=uid).first()
        if run is None:
            raise NotFound("run.not_found", _("没有这次归集，或您无权查看。"))
        return Response(RunOut(run).data)


urlpatterns = [
    path("aggregation/plans", PlanList.as_view(), name="plan-list"),
    path("aggregation/plans/<uuid:uid>/runs", PlanRuns.as_view(), name="plan-runs"),
    path("aggregation/runs/<uuid:uid>", RunDetail.as_view(), name="plan-run"),
]
