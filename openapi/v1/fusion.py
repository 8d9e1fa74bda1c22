"""Conflicts between sources (校核单) at the door for systems: the list, and the answer of the department."""

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

from basedb.fusion import conflicts
from basedb.fusion.conflicts import LONGEST_ANSWER, Verdict
from basedb.models import ConflictKind, ConflictState, FusionConflict
from core.roles import Role
from openapi.authentication import actor
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusiness
from openapi.serializers import StrictSerializer


class ForConflicts(ForBusiness):
    """Open to business roles and to the audit and the security administrator."""

    roles = (*ForBusiness.roles, Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)


class ConflictOut(serializers.Serializer[Any]):
    """A conflict; what the sides say is shown on its page only."""

    uid = serializers.UUIDField()
    dataset = serializers.CharField()
    conflict_kind = serializers.ChoiceField(choices=ConflictKind.choices, source="kind")
    field = serializers.CharField()
    owner = serializers.CharField(source="owner.name")
    records = serializers.SerializerMethodField(help_text="来源记录数")
    conflict_state = serializers.ChoiceField(choices=ConflictState.choices, source="state")
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)

    def get_records(self, conflict: FusionConflict) -> int:
        """Return how many records stand against each other."""
        return len(conflict.records)


class ConflictAnswerIn(StrictSerializer):
    """What the department found out: what stands is right, or the correction is on its way."""

    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    text = serializers.CharField(max_length=LONGEST_ANSWER)


class ConflictList(generics.ListAPIView[FusionConflict]):
    """The conflicts one may see."""

    permission_classes = (ForConflicts,)
    serializer_class = ConflictOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[FusionConflict]:
        """Return what the actor may see."""
        return conflicts.conflicts_visible_to(actor(self.request))


class ConflictAnswer(APIView):
    """Answering a conflict."""

    permission_classes = (ForConflicts,)

    @extend_schema(operation_id="fusion_conflicts_answer", request=ConflictAnswerIn, responses=ConflictOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """Answer as an operator of the department that has to verify."""
        serializer = ConflictAnswerIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        done = conflicts.answer(
            uid=uid, verdict=Verdict(given["verdict"]), text=given["text"], actor=actor(request), now=timezone.now()
        )
        return Response(ConflictOut(done).data)


urlpatterns = [
    path("fusion-conflicts", ConflictList.as_view(), name="fusion-conflict-list"),
    path("fusion-conflicts/<uuid:uid>/answer", ConflictAnswer.as_view(), name="fusion-conflict-answer"),
]
