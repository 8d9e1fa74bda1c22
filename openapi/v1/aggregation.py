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

from basedb.dictionary import DATASETS
from catalog.models import Resource
from core.errors import NotFound
from exchange.aggregation import checking, laying_down, plans, reverse_cataloging
from exchange.aggregation.connectors.terms import place_of
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
    reject_limit_percent = serializers.IntegerField()
    reject_limit_count = serializers.IntegerField(allow_null=True)
    is_active = serializers.BooleanField()
    next_run_at = serializers.DateTimeField(allow_null=True)


class RunOut(serializers.Serializer[Any]):
    """A run as it stands; read = accepted + rejected + held back, changed are those of the accepted that were new or different.

    Held back are the other rows of a batch that went past a limit of rejected rows.
    """

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
    held_back_count = serializers.IntegerField()
    message = serializers.CharField()


class StartIn(StrictSerializer):
    """Starting a run takes no parameters."""


class PlanIn(StrictSerializer):
    """A plan to lay down; what a kind of source needs in `settings` is in the aggregation guide."""

    title = serializers.CharField(max_length=100)
    department = serializers.UUIDField(help_text="数源部门的 uid")
    dataset = serializers.ChoiceField(choices=sorted(DATASETS))
    connector = serializers.ChoiceField(choices=ConnectorKind.choices)
    settings = serializers.DictField(help_text="接入参数，不含口令")
    password = serializers.CharField(required=False, max_length=200, trim_whitespace=False, write_only=True)
    columns = serializers.DictField(child=serializers.CharField(max_length=128), help_text="信息项 → 数源字段")
    key_column = serializers.CharField(required=False, allow_blank=True, max_length=60)
    cursor_column = serializers.CharField(required=False, allow_blank=True, max_length=60)
    valid_from_column = serializers.CharField(required=False, allow_blank=True, max_length=60)
    every_minutes = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=525_600)
    reject_limit_percent = serializers.IntegerField(
        required=False, min_value=0, max_value=100, help_text="一次运行拒收行数占读取行数的上限（%），读满 100 行起判断"
    )
    reject_limit_count = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=1_000_000_000, help_text="一次运行拒收行数的上限，不填则只按比例"
    )
    is_lead = serializers.BooleanField(required=False)
    is_keyless = serializers.BooleanField(required=False, help_text="记录可以没有标识，由平台匹配")
    row_key_kind = serializers.CharField(required=False, allow_blank=True, max_length=10, help_text="源主键所用的旧标识")


class PlanCheckStepOut(serializers.Serializer[Any]):
    """One question of a check; `code` names what is wrong."""

    title = serializers.CharField()
    is_good = serializers.BooleanField()
    said = serializers.CharField()
    code = serializers.CharField()


class ColumnOut(serializers.Serializer[Any]):
    """A column of a source."""

    name = serializers.CharField()
    data_type = serializers.CharField()
    comment = serializers.CharField()
    is_key = serializers.BooleanField()


class PlanCheckOut(serializers.Serializer[Any]):
    """What a check of a source found, without its rows."""

    is_good = serializers.BooleanField()
    steps = PlanCheckStepOut(many=True)
    columns = ColumnOut(many=True)
    count = serializers.IntegerField(allow_null=True)


class EntryIn(StrictSerializer):
    """The title of the entry to draft."""

    title = serializers.CharField(max_length=100)


class EntryOut(serializers.Serializer[Any]):
    """The draft that was made."""

    uid = serializers.UUIDField()
    title = serializers.CharField()
    state = serializers.CharField()


class PlanList(generics.ListAPIView[AggregationPlan]):
    """Plans the caller may see; POST lays one down."""

    permission_classes = (ForBusiness,)

    serializer_class = PlanOut
    pagination_class = KeysetPagination
    ordering = ("id",)

    def get_queryset(self) -> QuerySet[AggregationPlan]:
        return plans_visible_to(actor(self.request))

    @extend_schema(operation_id="aggregation_plans")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="aggregation_plan_create", parameters=[KEY], request=PlanIn, responses={201: PlanOut})
    def post(self, request: Request) -> Response:
        """Lay a plan down; the password is sealed and never answered."""
        given = PlanIn(data=request.data)
        given.is_valid(raise_exception=True)
        who = actor(request)

        def make() -> str:
            return str(laying_down.lay_down_at_once(values=given.validated_data, actor=who, now=timezone.now()).uid)

        said = {name: value for name, value in given.validated_data.items() if name != "password"}
        uid, is_new = create_once(request, said, make)
        return Response(PlanOut(plans_visible_to(who).get(uid=uid)).data, status=201 if is_new else 200)


class PlanCheck(APIView):
    """Look at the source of a plan now."""

    permission_classes = (ForBusiness,)

    @extend_schema(operation_id="aggregation_plan_check", request=StartIn, responses={200: PlanCheckOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Check and discover; what is wrong with the source is a step of the answer, not an error."""
        StartIn(data=request.data).is_valid(raise_exception=True)
        report = checking.check(place_of(visible_plan(uid, actor(request))))
        return Response(PlanCheckOut(report).data)


class PlanEntries(APIView):
    """Draft a catalogue entry out of the source table of a plan (逆向编目)."""

    permission_classes = (ForBusiness,)

    @extend_schema(operation_id="aggregation_plan_entry", parameters=[KEY], request=EntryIn, responses={201: EntryOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Draft the entry in the caller's own department; people complete and submit it."""
        given = EntryIn(data=request.data)
        given.is_valid(raise_exception=True)
        who = actor(request)
        columns = checking.columns_at(place_of(visible_plan(uid, who)))
        title = given.validated_data["title"]

        def make() -> str:
            return str(reverse_cataloging.draft_entry(title=title, columns=columns, actor=who, now=timezone.now()).uid)

        entry_uid, is_new = create_once(request, {"plan": str(uid), "title": title}, make)
        return Response(EntryOut(Resource.objects.get(uid=entry_uid)).data, status=201 if is_new else 200)


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
    path("aggregation/plans/<uuid:uid>/check", PlanCheck.as_view(), name="plan-check"),
    path("aggregation/plans/<uuid:uid>/catalog-drafts", PlanEntries.as_view(), name="plan-entries"),
    path("aggregation/plans/<uuid:uid>/runs", PlanRuns.as_view(), name="plan-runs"),
    path("aggregation/runs/<uuid:uid>", RunDetail.as_view(), name="plan-run"),
]
