"""Thematic databases (主题库, 专题库) at the door for systems: those in force, and the rows their department may read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from basedb.dictionary.contract import Grade
from basedb.models import ThematicDataset, ThematicKind, ThematicState, ThematicSubject
from basedb.thematic import definitions, rows
from basedb.thematic.values import Type
from openapi.authentication import actor
from openapi.pagination import KeysetPagination, PageQuery
from openapi.permissions import ForBusiness, ForBusinessAndAudit


class ThematicOut(serializers.Serializer[Any]):
    """A definition in force."""

    uid = serializers.UUIDField()
    code = serializers.CharField()
    version = serializers.IntegerField()
    title = serializers.CharField()
    thematic_kind = serializers.ChoiceField(choices=ThematicKind.choices, source="kind")
    thematic_subject = serializers.ChoiceField(choices=ThematicSubject.choices, source="subject")
    department = serializers.CharField(source="department.code")
    purpose = serializers.CharField()
    legal_basis = serializers.CharField()
    approved_at = serializers.DateTimeField()
    next_refresh_at = serializers.DateTimeField(allow_null=True)


class ThematicColumnOut(serializers.Serializer[Any]):
    """A column; `mask` is what the department sees it under."""

    name = serializers.CharField()
    title = serializers.CharField()
    column_type = serializers.ChoiceField(choices=[one.value for one in Type], source="type")
    column_grade = serializers.ChoiceField(choices=[one.value for one in Grade], source="grade")
    mask = serializers.CharField()


class ThematicRowOut(serializers.Serializer[Any]):
    """A row as the caller may see it, by column."""

    region_code = serializers.CharField()
    entered_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    values = serializers.DictField()


class ThematicRowsOut(serializers.Serializer[Any]):
    """A page of rows with their columns."""

    columns = ThematicColumnOut(many=True)
    items = ThematicRowOut(many=True)
    next = serializers.CharField(allow_null=True)


class RowsQuery(PageQuery):
    """Rows of a division, of a level."""

    region = serializers.RegexField(r"^[0-9]{2,12}$", required=False)
    level = serializers.CharField(required=False, max_length=40)


class Databases(generics.ListAPIView[ThematicDataset]):
    """The thematic databases in force."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = ThematicOut
    pagination_class = KeysetPagination

    def get_queryset(self) -> QuerySet[ThematicDataset]:
        """Return those the caller may know of."""
        return definitions.definitions_visible_to(actor(self.request)).filter(state=ThematicState.APPROVED)


class Rows(APIView):
    """For people of its department and the data centre; every look is audited."""

    permission_classes = (ForBusiness,)

    @extend_schema(operation_id="thematic_rows", parameters=[RowsQuery], responses=ThematicRowsOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return a page of rows."""
        asked = RowsQuery.of(request)
        found = rows.read(
            uid=uid,
            actor=actor(request),
            now=timezone.now(),
            region=asked.get("region", ""),
            level=asked.get("level", ""),
            cursor=asked["after"],
            size=asked["limit"],
        )
        names = [column.name for column in found.columns]
        items = [
            {
                "region_code": line.region_code,
                "entered_at": line.entered_at,
                "changed_at": line.changed_at,
                "values": dict(zip(names, line.values, strict=True)),
            }
            for line in found.lines
        ]
        told = {"columns": found.columns, "items": items, "next": found.page.next or None}
        return Response(ThematicRowsOut(told).data)


urlpatterns = [
    path("thematic/databases", Databases.as_view(), name="thematic-databases"),
    path("thematic/databases/<uuid:uid>/rows", Rows.as_view(), name="thematic-rows"),
]
