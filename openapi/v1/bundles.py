"""Bundles (一揽子申请) at the door for systems: one request for each of several resources, all of them or none."""

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

from catalog.models import SharingMode
from exchange.models import RequestBundle
from exchange.requests import baskets
from exchange.requests.baskets import LARGEST, Ask
from exchange.requests.request_terms import MAX_QUOTA_PER_DAY
from openapi.authentication import actor
from openapi.idempotency import create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer
from openapi.v1.access_requests import KEY, AccessRequestOut, terms_of
from openapi.v1.limits import LimitsIn


class BundleOut(serializers.Serializer[Any]):
    """A bundle; its parts are requests of their own."""

    uid = serializers.UUIDField()
    number = serializers.CharField()
    requester = serializers.UUIDField(source="requester.uid")
    purpose = serializers.CharField()
    submitted_at = serializers.DateTimeField()


class BundleDetailOut(BundleOut):
    """A bundle with the parts one may see."""

    parts = AccessRequestOut(many=True)


class BundlePartIn(LimitsIn):
    """What is asked of one resource."""

    resource = serializers.UUIDField()
    mode = serializers.ChoiceField(choices=SharingMode.choices)
    fields_ = serializers.ListField(child=serializers.CharField(max_length=40), allow_empty=False, max_length=200)
    region_prefix = serializers.CharField(max_length=12, allow_blank=True, default="")
    quota_per_day = serializers.IntegerField(min_value=1, max_value=MAX_QUOTA_PER_DAY, default=1000)

    def get_fields(self) -> dict[str, Any]:
        """Name the items `fields`, which the class itself may not."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class BundleIn(StrictSerializer):
    """What is said once, and the parts."""

    system = serializers.UUIDField()
    purpose = serializers.CharField(max_length=200)
    legal_basis = serializers.CharField(max_length=500)
    scenario = serializers.CharField(max_length=500)
    scope = serializers.CharField(max_length=500, allow_blank=True, default="")
    term_from = serializers.DateField()
    term_to = serializers.DateField()
    parts = BundlePartIn(many=True, allow_empty=False, max_length=LARGEST)  # type: ignore[call-arg]  # the stubs know only the child


class SeenPartIn(StrictSerializer):
    """A part in the revision it was read in."""

    uid = serializers.UUIDField()
    revision = serializers.IntegerField(min_value=1)


class EndorseIn(StrictSerializer):
    """The parts agreed to; others stay where they are."""

    parts = SeenPartIn(many=True, allow_empty=False, max_length=LARGEST)  # type: ignore[call-arg]  # the stubs know only the child


class PartResultOut(serializers.Serializer[Any]):
    """What became of a part; `error` is empty for one that went on."""

    uid = serializers.UUIDField(source="part.uid")
    state = serializers.CharField(source="part.state")
    error = serializers.CharField()


class BundleList(generics.ListAPIView[RequestBundle]):
    """The bundles one may see a part of; a new one by POST."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = BundleOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[RequestBundle]:
        """Return what the actor may see."""
        return baskets.bundles_visible_to(actor(self.request))

    @extend_schema(operation_id="bundles_create", parameters=[KEY], request=BundleIn, responses={201: BundleDetailOut})
    def post(self, request: Request) -> Response:
        """Submit a request for each part, all of them or none. Faults of a part stand under `parts[<place>].<field>`."""
        serializer = BundleIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        who = actor(request)
        asks = [Ask(part["resource"], terms_of({**given, **part})) for part in given["parts"]]

        def make() -> str:
            return str(baskets.submit(asks=asks, actor=who, now=timezone.now()).uid)

        uid, is_new = create_once(request, given, make)
        return Response(_shown(request, UUID(uid)), status=201 if is_new else 200)


class BundleDetail(APIView):
    """One bundle."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(responses=BundleDetailOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return the bundle with its parts."""
        return Response(_shown(request, uid))


class BundleEndorsement(APIView):
    """The requester's head agrees to several parts at once."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="bundles_endorse", request=EndorseIn, responses=PartResultOut(many=True))
    def post(self, request: Request, uid: UUID) -> Response:
        """Endorse each waiting part by itself; a part that changed since it was read is not endorsed."""
        serializer = EndorseIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        seen = {part["uid"]: part["revision"] for part in serializer.validated_data["parts"]}
        results = baskets.endorse_all(bundle_uid=uid, seen=seen, actor=actor(request), now=timezone.now())
        return Response(PartResultOut(results, many=True).data)


def _shown(request: Request, uid: UUID) -> dict[str, Any]:
    who = actor(request)
    bundle = baskets.visible_bundle(uid, who)
    return {**BundleOut(bundle).data, "parts": AccessRequestOut(baskets.parts_of(bundle, who), many=True).data}


urlpatterns = [
    path("bundles", BundleList.as_view(), name="bundle-list"),
    path("bundles/<uuid:uid>", BundleDetail.as_view(), name="bundle-detail"),
    path("bundles/<uuid:uid>/endorse", BundleEndorsement.as_view(), name="bundle-endorse"),
]
