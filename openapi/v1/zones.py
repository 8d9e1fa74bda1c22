"""Data zones (数据专区) at the door for systems: the newest figures of a department, read-only."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.zones import reading
from openapi.authentication import actor
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictQuery


class ZoneQuery(StrictQuery):
    """Whose zone; the caller's department unless another is named."""

    department = serializers.UUIDField(required=False)


class ZoneFigureOut(serializers.Serializer[Any]):
    """A department's part of one dataset."""

    dataset = serializers.CharField()
    measured_at = serializers.DateTimeField()
    row_count = serializers.IntegerField()
    source_count = serializers.IntegerField()
    last_good_run_at = serializers.DateTimeField(allow_null=True)
    promised_minutes = serializers.IntegerField(allow_null=True)
    reject_count = serializers.IntegerField()
    quality_task_count = serializers.IntegerField()
    conflict_count = serializers.IntegerField()
    quality_percent = serializers.FloatField(allow_null=True)
    grant_count = serializers.IntegerField()
    call_count = serializers.IntegerField()


class ZoneOut(serializers.Serializer[Any]):
    """A department's zone as it was measured last."""

    department = serializers.CharField(source="department.code")
    items = ZoneFigureOut(many=True, source="figures")


class DepartmentZone(APIView):
    """The own department's; the data centre and the auditor may name another."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="zone_department", parameters=[ZoneQuery], responses=ZoneOut)
    def get(self, request: Request) -> Response:
        """Return its figures, one line a dataset."""
        asked = ZoneQuery.of(request)
        return Response(ZoneOut(reading.department_zone(actor=actor(request), uid=asked.get("department"))).data)


urlpatterns = [path("zones/department", DepartmentZone.as_view(), name="zone-department")]
