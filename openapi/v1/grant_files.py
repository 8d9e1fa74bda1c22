"""A grant's clients, the key of their tokens, its bulk jobs (服务对象清单、令牌密钥、批量作业): for people's tools, in a session.

Jobs are opened and fetched by the calling system itself (`call_jobs`); here they are watched.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFound
from exchange import subject_tokens
from exchange.granting import grant_clients
from exchange.models import BulkJob, FileFormat, JobState
from exchange.querysets import grants_visible_to
from openapi.authentication import actor
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer
from openapi.v1.grants import GrantOut


class ClientsIn(StrictSerializer):
    """A list of clients as parts of a form."""

    has_json_types = False

    revision = serializers.IntegerField(min_value=1, required=False)
    clients = serializers.FileField(help_text="CSV，每行一个身份号码或统一社会信用代码，整份替换原清单")


class TokenKeyOut(serializers.Serializer[Any]):
    """The key, shown once; the list of clients that is loaded next is under it."""

    token_key = serializers.CharField()


class WatchedJobOut(serializers.Serializer[Any]):
    """A job as its grant's people see it; the manifest is for the system that opened it."""

    uid = serializers.UUIDField()
    state = serializers.ChoiceField(choices=JobState.choices)
    reason = serializers.CharField()
    format = serializers.ChoiceField(choices=FileFormat.choices)
    fields_ = serializers.ListField(child=serializers.CharField())
    grant_version = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    expected_rows = serializers.IntegerField(source="expected_count")
    rows = serializers.IntegerField(source="row_count")
    parts = serializers.IntegerField(source="part_count")

    def get_fields(self) -> dict[str, Any]:
        """Name the items `fields`, which the class itself may not."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class GrantClients(APIView):
    """The consumer's list of clients."""

    permission_classes = (ForBusinessAndAudit,)
    parser_classes = (MultiPartParser,)

    @extend_schema(operation_id="grants_clients", request=ClientsIn, responses=GrantOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """Replace the list of whom the consumer serves; sent twice it is the same list."""
        sent = request.data
        serializer = ClientsIn(data=sent.dict() if isinstance(sent, QueryDict) else sent)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        done = grant_clients.load_clients(
            grant_uid=uid,
            lines=grant_clients.lines_of(given["clients"]),
            revision=given.get("revision"),
            actor=actor(request),
            now=timezone.now(),
        )
        return Response(GrantOut(done).data)


class GrantTokenKey(APIView):
    """The key of the tokens of clients."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="grants_token_key", request=None, responses={201: TokenKeyOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Make a key; asked twice there are two, and the later one counts."""
        key = subject_tokens.issue_token_key(grant_uid=uid, actor=actor(request), now=timezone.now())
        return Response({"token_key": key}, status=201, headers={"Cache-Control": "no-store"})


class GrantJobs(generics.ListAPIView[BulkJob]):
    """The bulk jobs of a grant."""

    permission_classes = (ForBusinessAndAudit,)

    serializer_class = WatchedJobOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[BulkJob]:
        """Return the jobs of a grant the actor may see."""
        grant = grants_visible_to(actor(self.request)).filter(uid=self.kwargs["uid"]).first()
        if grant is None:
            raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
        return BulkJob.objects.filter(grant=grant)


urlpatterns = [
    path("grants/<uuid:uid>/clients", GrantClients.as_view(), name="grant-clients"),
    path("grants/<uuid:uid>/token-key", GrantTokenKey.as_view(), name="grant-token-key"),
    path("grants/<uuid:uid>/jobs", GrantJobs.as_view(), name="grant-jobs"),
]
