"""Grants (授权) at the door for systems: reading, suspending, resuming, revoking."""

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

from catalog.models import SharingMode
from core.errors import NotFound
from exchange.granting import grants
from exchange.granting.grant_workflow import GrantCommand
from exchange.models import Grant, GrantState, SuspensionGround
from exchange.querysets import grants_visible_to
from openapi.authentication import actor
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer
from openapi.v1.limits import LimitsOut

COMMANDS = [command.value.lower() for command in grants.STATE_COMMANDS]


class GrantOut(LimitsOut):
    """A grant as it is read; it holds from `valid_from` until just before `valid_to`."""

    uid = serializers.UUIDField()
    revision = serializers.IntegerField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(choices=GrantState.choices)
    state_reason = serializers.CharField()
    suspension_ground = serializers.CharField()
    put_right_by = serializers.DateField(allow_null=True)
    access_request = serializers.UUIDField(source="access_request.uid")
    system = serializers.UUIDField(source="system.uid")
    resource = serializers.UUIDField(source="resource.uid")
    mode = serializers.ChoiceField(choices=SharingMode.choices)
    fields_ = serializers.ListField(child=serializers.CharField())
    masks = serializers.DictField(child=serializers.CharField())
    region_prefix = serializers.CharField()
    client_count = serializers.IntegerField()
    client_digest = serializers.CharField(help_text="服务对象清单各项密钥摘要排序后的 SHA-256")
    purpose = serializers.CharField()
    quota_per_day = serializers.IntegerField()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField()

    def get_fields(self) -> dict[str, Any]:
        """Name the items `fields`, which the class itself may not."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class ChangeIn(StrictSerializer):
    """Why, and the revision it was decided on."""

    revision = serializers.IntegerField(min_value=1, required=False)
    reason = serializers.CharField(max_length=500)
    ground = serializers.ChoiceField(choices=SuspensionGround.choices, required=False, help_text="只用于暂停")
    put_right_by = serializers.DateField(required=False, help_text="限期整改的截止日期，违规使用时必填")


class GrantList(generics.ListAPIView[Grant]):
    """The grants one may see."""

    permission_classes = (ForBusinessAndAudit,)

    serializer_class = GrantOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Grant]:
        """Return what the actor may see."""
        return _with_names(grants_visible_to(actor(self.request)))


class GrantDetail(APIView):
    """One grant."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(responses=GrantOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return the grant."""
        found = _with_names(grants_visible_to(actor(request))).filter(uid=uid).first()
        if found is None:
            raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
        return Response(GrantOut(found).data)


class GrantChange(APIView):
    """Suspend, resume or revoke a grant."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(
        parameters=[OpenApiParameter("command", str, OpenApiParameter.PATH, enum=COMMANDS)],
        operation_id="grants_change",
        request=ChangeIn,
        responses=GrantOut,
    )
    def post(self, request: Request, uid: UUID, command: str) -> Response:
        """Change the state; it holds for the very next call."""
        if command not in COMMANDS:
            raise NotFound("request.not_found", _("没有这个资源，或您无权查看。"))
        serializer = ChangeIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        done = grants.change_state(
            grant_uid=uid,
            command=GrantCommand(command.upper()),
            reason=given["reason"],
            revision=given.get("revision"),
            ground=given.get("ground", ""),
            put_right_by=given.get("put_right_by"),
            actor=actor(request),
            now=timezone.now(),
        )
        return Response(GrantOut(done).data)


def _with_names(rows: QuerySet[Grant]) -> QuerySet[Grant]:
    return rows.select_related("access_request", "system", "resource")


urlpatterns = [
    path("grants", GrantList.as_view(), name="grant-list"),
    path("grants/<uuid:uid>", GrantDetail.as_view(), name="grant-detail"),
    path("grants/<uuid:uid>/<str:command>", GrantChange.as_view(), name="grant-change"),
]
