"""Missing licenses (缺失电子证照) at the door for systems: reporting, where a report is, and a step of whoever has the ball.

Codes and names of holders are taken in and never given out here.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from licenses.models import MissingKind, MissingReport, MissingState
from licenses.reissue import reissuing, reports
from licenses.reissue.workflow import Command
from openapi.authentication import actor
from openapi.idempotency import HEADER, create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer

KEY = OpenApiParameter(HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER)


class MissingReportIn(StrictSerializer):
    """Which license of whom is not there."""

    missing_kind = serializers.ChoiceField(choices=MissingKind.choices, source="kind")
    type_code = serializers.CharField(max_length=21)
    region_code = serializers.RegexField("^[0-9]{6}([0-9]{3}([0-9]{3})?)?$")
    holder_name = serializers.CharField(max_length=reports.LONGEST_NAME)
    holder_code = serializers.CharField(max_length=18)
    paper_number = serializers.CharField(max_length=reports.LONGEST_NUMBER, required=False, default="", allow_blank=True)
    note = serializers.CharField(max_length=reports.LONGEST)


class MissingStepIn(StrictSerializer):
    """A command to a report, with the revision it was read at."""

    revision = serializers.IntegerField(min_value=1)
    missing_command = serializers.ChoiceField(choices=[(command.value, command.value) for command in Command], source="command")
    text = serializers.CharField(max_length=reports.LONGEST, required=False, default="", allow_blank=True)
    identifier = serializers.CharField(max_length=128, required=False, default="", allow_blank=True)
    department = serializers.UUIDField(required=False, default=None, allow_null=True, help_text="移交给哪个部门")


class MissingReportOut(serializers.Serializer[Any]):
    """Where a report is."""

    uid = serializers.UUIDField()
    number = serializers.CharField()
    missing_kind = serializers.ChoiceField(choices=MissingKind.choices, source="kind")
    missing_state = serializers.ChoiceField(choices=MissingState.choices, source="state")
    type_code = serializers.CharField()
    type_name = serializers.CharField()
    region_code = serializers.CharField()
    department = serializers.CharField(source="department.name", help_text="核查部门")
    reported_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()
    identifier = serializers.CharField(help_text="找到或补发的电子证照标识")
    joined_into = serializers.UUIDField(source="joined_into.uid", allow_null=True, default=None)
    revision = serializers.IntegerField()


class MissingReportList(generics.ListAPIView[MissingReport]):
    """The reports one may see; a new one by POST."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = MissingReportOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[MissingReport]:
        """Return what the actor may see."""
        return reports.reports_visible_to(actor(self.request))

    @extend_schema(
        operation_id="missing_licenses_create", parameters=[KEY], request=MissingReportIn, responses={201: MissingReportOut}
    )
    def post(self, request: Request) -> Response:
        """Report a missing license; one that is there already is refused with its identifier in `details.identifier`."""
        given = _given(MissingReportIn, request)
        who = actor(request)

        def make() -> str:
            return str(reports.report_missing(**given, actor=who, now=timezone.now()).uid)

        uid, is_new = create_once(request, given, make)
        return Response(MissingReportOut(reports.get_visible(UUID(uid), who)).data, status=201 if is_new else 200)


class MissingReportDetail(APIView):
    """One report."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="missing_licenses_retrieve", responses=MissingReportOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return where it is."""
        return Response(MissingReportOut(reports.get_visible(uid, actor(request))).data)

    @extend_schema(operation_id="missing_licenses_advance", request=MissingStepIn, responses=MissingReportOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """Give a command to it."""
        given = _given(MissingStepIn, request)
        done = reissuing.carry_out(
            uid=uid, revision=given["revision"], command=Command(given["command"]), text=given["text"], actor=actor(request),
            now=timezone.now(), identifier=given["identifier"], department_uid=given["department"],
        )  # fmt: skip
        return Response(MissingReportOut(done).data)


def _given(form: type[StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = form(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


urlpatterns = [
    path("missing-licenses", MissingReportList.as_view(), name="missing-license-list"),
    path("missing-licenses/<uuid:uid>", MissingReportDetail.as_view(), name="missing-license-detail"),
]
