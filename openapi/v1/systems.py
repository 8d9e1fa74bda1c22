"""Consumer systems (使用方系统) at the door for systems: reading only; secrets are shown in the portal, once."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from rest_framework import generics, serializers

from exchange.models import ConsumerSystem, CredentialState, SignatureAlgorithm
from exchange.querysets import systems_visible_to
from openapi.authentication import actor
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit


class CredentialOut(serializers.Serializer[Any]):
    """A key of a system, without its secret."""

    uid = serializers.UUIDField()
    key = serializers.CharField()
    algorithm = serializers.ChoiceField(choices=SignatureAlgorithm.choices)
    state = serializers.ChoiceField(choices=CredentialState.choices)
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField()


class SystemOut(serializers.Serializer[Any]):
    """A consumer system with its keys."""

    uid = serializers.UUIDField()
    name = serializers.CharField()
    department = serializers.UUIDField(source="department.uid")
    is_active = serializers.BooleanField()
    credentials = CredentialOut(many=True)


class SystemList(generics.ListAPIView[ConsumerSystem]):
    """The systems one may see."""

    permission_classes = (ForBusinessAndAudit,)

    serializer_class = SystemOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[ConsumerSystem]:
        """Return what the actor may see."""
        return systems_visible_to(actor(self.request)).select_related("department").prefetch_related("credentials")


urlpatterns = [path("systems", SystemList.as_view(), name="system-list")]
