"""Mutual recognition (跨区域互认) at the door for systems: nodes deliver and ask with signed messages; people fetch and verify.

What a node sends is judged by its signature and the trust list alone: it has no account here.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Invalid
from licenses.models import ForeignLicense
from licenses.recognition import envelopes, keeping, pulling, questions, receiving, trust
from openapi.authentication import actor
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer
from openapi.v1.license_verifications import FragmentOut

LARGEST = 3 * envelopes.LARGEST  # the message, escaped as JSON writes it


class EnvelopeIn(serializers.Serializer[Any]):
    """A signed message: `content` is a JSON text, `signature` SM2 (DER, base64) over its UTF-8 bytes with the key named."""

    node = serializers.CharField()
    key = serializers.CharField()
    content = serializers.CharField()
    signature = serializers.CharField()


class TrustedNodeOut(serializers.Serializer[Any]):
    """A node of the trust list with the keys that count now."""

    code = serializers.CharField()
    name = serializers.CharField()
    region_code = serializers.CharField()
    keys = serializers.ListField(child=serializers.DictField())


class ForeignResultOut(serializers.Serializer[Any]):
    """What verifying a license of another region came to."""

    integrity = FragmentOut()
    status = FragmentOut()
    issuer = FragmentOut()


class ForeignDocumentIn(StrictSerializer):
    """A license document of another region."""

    document = serializers.DictField()


class FetchIn(StrictSerializer):
    """Which license, for which matter and purpose."""

    identifier = serializers.CharField(max_length=128)
    matter = serializers.CharField(max_length=pulling.LONGEST)
    purpose = serializers.CharField(max_length=pulling.LONGEST)


class ForeignLicenseOut(serializers.Serializer[Any]):
    """A license fetched for a matter; `document` is null when it did not verify or its time is over."""

    uid = serializers.UUIDField()
    identifier = serializers.CharField()
    node = serializers.CharField(source="node.name")
    matter = serializers.CharField()
    purpose = serializers.CharField()
    fetched_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    result = serializers.JSONField()
    document = serializers.SerializerMethodField()

    def get_document(self, found: ForeignLicense) -> dict[str, Any] | None:
        """Return the document to those it was fetched for."""
        shown: dict[str, Any] | None = None if "document" in found.get_deferred_fields() else found.document
        return shown


class NodeDoor(APIView):
    """What the doors of nodes share: no account, a bounded body."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def said(self, request: Request) -> Any:
        """Return the body; one that says it is too long is not read."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > LARGEST:
            text = _("报文过大，请减少每批的行数。")
            raise Invalid("recognition.envelope_too_large", text, {"content": [text]})
        return request.data


class BatchDoor(NodeDoor):
    """Where nodes below deliver their licenses."""

    @extend_schema(operation_id="license_exchange_deliver", request=EnvelopeIn, responses=EnvelopeIn, auth=[])
    def post(self, request: Request) -> Response:
        """Take a signed batch in and answer with a signed receipt; the same batch again gets the same receipt."""
        told = self.said(request)
        return Response(receiving.receive(envelope=told, client_ip=request.META.get("REMOTE_ADDR"), now=timezone.now()))


class QuestionDoor(NodeDoor):
    """Where trusted nodes ask."""

    @extend_schema(operation_id="license_exchange_ask", request=EnvelopeIn, responses=EnvelopeIn, auth=[])
    def post(self, request: Request) -> Response:
        """Answer a signed question (`summary`, `lines` or `license`) with a signed answer."""
        told = self.said(request)
        return Response(questions.answer(envelope=told, client_ip=request.META.get("REMOTE_ADDR"), now=timezone.now()))


class TrustList(NodeDoor):
    """The trust list, for everybody."""

    @extend_schema(operation_id="license_exchange_trust_list", responses=TrustedNodeOut(many=True), auth=[])
    def get(self, request: Request) -> Response:
        """Return the nodes with the keys that count now."""
        return Response(TrustedNodeOut(keeping.published(timezone.now()), many=True).data)


class ForeignVerification(APIView):
    """Verifying a document somebody brought."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="foreign_licenses_verify", request=ForeignDocumentIn, responses=ForeignResultOut)
    def post(self, request: Request) -> Response:
        """Return integrity, status and issuer, each with its reason; nothing is kept."""
        given = ForeignDocumentIn(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(trust.verify_document(given.validated_data["document"], timezone.now()).told())


class ForeignLicenseList(generics.ListAPIView[ForeignLicense]):
    """What the own department fetched; a new one by POST."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = ForeignLicenseOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[ForeignLicense]:
        """Return what the actor may see."""
        return pulling.visible_to(actor(self.request))

    @extend_schema(operation_id="foreign_licenses_fetch", request=FetchIn, responses={201: ForeignLicenseOut})
    def post(self, request: Request) -> Response:
        """Fetch a license of another region for a matter; every fetch is a recorded use, here and there."""
        given = FetchIn(data=request.data)
        given.is_valid(raise_exception=True)
        kept = pulling.fetch(**given.validated_data, actor=actor(request), now=timezone.now())
        return Response(ForeignLicenseOut(kept).data, status=201)


class ForeignLicenseDetail(APIView):
    """One fetched license."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="foreign_licenses_retrieve", responses=ForeignLicenseOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return it."""
        return Response(ForeignLicenseOut(pulling.get_visible(uid, actor(request))).data)


urlpatterns = [
    path("license-exchange/batches", BatchDoor.as_view(), name="license-exchange-batches"),
    path("license-exchange/questions", QuestionDoor.as_view(), name="license-exchange-questions"),
    path("license-exchange/trust-list", TrustList.as_view(), name="license-exchange-trust-list"),
    path("foreign-licenses", ForeignLicenseList.as_view(), name="foreign-license-list"),
    path("foreign-licenses/verifications", ForeignVerification.as_view(), name="foreign-license-verification"),
    path("foreign-licenses/<uuid:uid>", ForeignLicenseDetail.as_view(), name="foreign-license-detail"),
]
