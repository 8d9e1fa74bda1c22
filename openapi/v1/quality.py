"""Quality (数据质量) at the door for systems: scores, checks with their results, tasks of departments, the rules in force."""

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
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from basedb.models import CheckState, Dimension, QualityCheck, QualityResult, QualityRule, QualityTask, RuleKind
from basedb.quality import asking, scores, tasks
from core.errors import NotFound
from core.roles import Role
from openapi.authentication import actor
from openapi.idempotency import HEADER, create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusiness, ForBusinessAndAudit
from openapi.serializers import StrictSerializer

KEY = OpenApiParameter(HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER)


class ScoreOut(serializers.Serializer[Any]):
    """The score of what one department delivers into one dataset, in one dimension, in percent; null when nothing was checked."""

    dataset = serializers.CharField()
    department = serializers.CharField(allow_null=True)
    dimension = serializers.ChoiceField(choices=Dimension.choices)
    percent = serializers.FloatField(allow_null=True)
    checked = serializers.IntegerField()
    failed = serializers.IntegerField()
    errors = serializers.IntegerField()  # type: ignore[assignment]
    empty = serializers.IntegerField()


class ResultOut(serializers.Serializer[Any]):
    """What one rule found at one department; a rule that could not be carried out has an error and no counts."""

    rule = serializers.CharField(source="rule.code")
    version = serializers.IntegerField(source="rule.version")
    title = serializers.CharField(source="rule.title")
    dimension = serializers.ChoiceField(choices=Dimension.choices, source="rule.dimension")
    department = serializers.CharField(source="department.code", allow_null=True, default=None)
    checked = serializers.IntegerField()
    failed = serializers.IntegerField()
    error = serializers.CharField()
    verdict = serializers.SerializerMethodField()

    def get_verdict(self, result: QualityResult) -> str:
        """PASS, WARN, FAIL, ERROR or NOTHING."""
        return str(scores.verdict(result))


class QualityCheckOut(serializers.Serializer[Any]):
    """A check of a dataset, or of what one aggregation run brought (`batch`)."""

    uid = serializers.UUIDField()
    dataset = serializers.CharField()
    batch = serializers.UUIDField(allow_null=True)
    check_state = serializers.ChoiceField(choices=CheckState.choices, source="state")
    row_count = serializers.IntegerField()
    queued_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    message = serializers.CharField()


class QualityCheckWithResultsOut(QualityCheckOut):
    """A check with what its rules found, as far as the caller may see it."""

    results = ResultOut(many=True)


class QualityCheckIn(StrictSerializer):
    """A check of all rows of a dataset."""

    dataset = serializers.CharField(max_length=60)


class TaskOut(serializers.Serializer[Any]):
    """What one rule found wrong at one department."""

    uid = serializers.UUIDField()
    dataset = serializers.CharField()
    rule = serializers.CharField(source="rule_code")
    title = serializers.CharField()
    dimension = serializers.ChoiceField(choices=Dimension.choices)
    department = serializers.CharField(source="department.code")
    open_count = serializers.IntegerField()
    unlisted_count = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class QualityRuleOut(serializers.Serializer[Any]):
    """A rule in force."""

    uid = serializers.UUIDField()
    dataset = serializers.CharField()
    code = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    dimension = serializers.ChoiceField(choices=Dimension.choices)
    rule_kind = serializers.ChoiceField(choices=RuleKind.choices, source="kind")
    field = serializers.CharField()
    parameters = serializers.JSONField()
    warn_below = serializers.FloatField()
    fail_below = serializers.FloatField()
    weight = serializers.IntegerField()
    is_active = serializers.BooleanField()


class Scores(APIView):
    """The newest scores by dataset, department and dimension."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="quality_scores", responses=ScoreOut(many=True))
    def get(self, request: Request) -> Response:
        """Return them; a handful of lines a dataset, not paginated."""
        found = scores.newest_results(actor(request)).order_by("rule__dataset", "department_id", "rule__dimension")
        grouped = scores.grouped(
            found,
            lambda result: (result.rule.dataset, result.department.code if result.department else None, result.rule.dimension),
        )
        lines = [
            {
                "dataset": dataset,
                "department": department,
                "dimension": dimension,
                "percent": score.percent,
                "checked": score.checked,
                "failed": score.failed,
                "errors": score.errors,
                "empty": score.empty,
            }
            for (dataset, department, dimension), score in grouped.items()
        ]
        return Response(ScoreOut(lines, many=True).data)


class ForReviewers(ForBusiness):
    """Open to the data centre's reviewers."""

    roles = (Role.REVIEWER,)


class Checks(generics.ListAPIView[QualityCheck]):
    """The checks, and asking for one."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = QualityCheckOut
    pagination_class = KeysetPagination
    queryset = QualityCheck.objects.all()

    def get_permissions(self) -> list[BasePermission]:
        """Asking is the reviewers'."""
        return [ForReviewers()] if self.request.method == "POST" else [ForBusinessAndAudit()]

    @extend_schema(operation_id="quality_check_ask", parameters=[KEY], request=QualityCheckIn, responses={201: QualityCheckOut})
    def post(self, request: Request) -> Response:
        """Queue a check of a dataset."""
        asked = QualityCheckIn(data=request.data)
        asked.is_valid(raise_exception=True)
        who = actor(request)

        def make() -> str:
            return str(asking.ask(dataset=asked.validated_data["dataset"], actor=who, now=timezone.now()).uid)

        made, is_new = create_once(request, {"dataset": asked.validated_data["dataset"]}, make)
        return Response(QualityCheckOut(QualityCheck.objects.get(uid=made)).data, status=201 if is_new else 200)


class OneCheck(APIView):
    """One check with what it found."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="quality_check", responses=QualityCheckWithResultsOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return it."""
        check = QualityCheck.objects.filter(uid=uid).first()
        if check is None:
            raise NotFound("quality.check_not_found", _("没有这次检查。"))
        found = scores.results_visible_to(actor(request)).filter(check_of=check).order_by("rule__code", "department_id")
        return Response(QualityCheckOut(check).data | {"results": ResultOut(found, many=True).data})


class Tasks(generics.ListAPIView[QualityTask]):
    """The tasks the caller may see, the newest first."""

    permission_classes = (ForBusiness,)
    serializer_class = TaskOut
    pagination_class = KeysetPagination
    queryset = QualityTask.objects.none()

    def get_queryset(self) -> QuerySet[QualityTask]:
        """Those of the own department, all at the data centre."""
        return tasks.visible_to(actor(self.request))


class Rules(generics.ListAPIView[QualityRule]):
    """The rules in force."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = QualityRuleOut
    pagination_class = KeysetPagination
    queryset = QualityRule.objects.filter(retired_at=None)


urlpatterns = [
    path("quality/scores", Scores.as_view(), name="quality-scores"),
    path("quality/checks", Checks.as_view(), name="quality-checks"),
    path("quality/checks/<uuid:uid>", OneCheck.as_view(), name="quality-check"),
    path("quality/tasks", Tasks.as_view(), name="quality-tasks"),
    path("quality/rules", Rules.as_view(), name="quality-rules"),
]
