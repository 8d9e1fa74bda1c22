"""Pairs of matching (记录匹配) at the door for systems: the list, and a reviewer's decision.

What the sides say is on the page only.
"""

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

from basedb.fusion.merging import LONGEST_REASON
from basedb.matching import desk
from basedb.models import CandidateState, MatchCandidate, MatchTier
from openapi.authentication import actor
from openapi.pagination import KeysetPagination
from openapi.serializers import StrictSerializer
from openapi.v1.fusion import ForConflicts

_ACTS = {"ACCEPT": desk.accept, "REFUSE": desk.refuse, "UNDO": desk.undo}


class MatchReasonOut(serializers.Serializer[Any]):
    """One comparison of a pair; weights are binary logarithms of likelihood ratios."""

    comparison = serializers.CharField()
    level = serializers.CharField()
    weight = serializers.FloatField(allow_null=True)


class MatchCandidateOut(serializers.Serializer[Any]):
    """A pair of a record and an entity, with why and without a value."""

    uid = serializers.UUIDField()
    dataset = serializers.CharField()
    source_code = serializers.CharField(source="source.code")
    match_tier = serializers.ChoiceField(choices=MatchTier.choices, source="tier")
    score = serializers.DecimalField(max_digits=5, decimal_places=4, allow_null=True)
    why = MatchReasonOut(many=True)
    model_version = serializers.CharField()
    candidate_state = serializers.ChoiceField(choices=CandidateState.choices, source="state")
    found_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class MatchDecisionIn(StrictSerializer):
    """What a reviewer says about a pair."""

    act = serializers.ChoiceField(choices=list(_ACTS))
    reason = serializers.CharField(max_length=LONGEST_REASON)


class MatchCandidateList(generics.ListAPIView[MatchCandidate]):
    """The pairs one may see."""

    permission_classes = (ForConflicts,)
    serializer_class = MatchCandidateOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[MatchCandidate]:
        """Return what the actor may see."""
        return desk.candidates_visible_to(actor(self.request))


class MatchDecision(APIView):
    """Deciding a pair."""

    permission_classes = (ForConflicts,)

    @extend_schema(operation_id="match_candidates_decide", request=MatchDecisionIn, responses=MatchCandidateOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """Link, refuse or take back as a reviewer; the worker carries it out within seconds."""
        serializer = MatchDecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        done = _ACTS[given["act"]](uid=uid, reason=given["reason"], actor=actor(request), now=timezone.now())
        return Response(MatchCandidateOut(done).data)


urlpatterns = [
    path("match-candidates", MatchCandidateList.as_view(), name="match-candidate-list"),
    path("match-candidates/<uuid:uid>/decide", MatchDecision.as_view(), name="match-candidate-decide"),
]
