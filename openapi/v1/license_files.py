"""Sealed files and copies of licenses (证照文件, 加注件) at the door for systems, for people's tools in a session.

Systems of other departments get what their matter needs by their grants; files are not handed to them here.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from licenses.models import FileKind, LicenseCopy
from licenses.sealing import copies, files
from licenses.sealing.access import get_visible
from openapi.authentication import actor
from openapi.idempotency import HEADER, create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusiness
from openapi.serializers import StrictSerializer

KEY = OpenApiParameter(HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER)


class LicenseCopyIn(StrictSerializer):
    """What a copy is for, for whom, and how many days its link is good."""

    purpose = serializers.CharField(max_length=copies.LONGEST)
    receiver = serializers.CharField(max_length=copies.LONGEST)
    days = serializers.IntegerField(min_value=1, max_value=copies.DAYS_AT_MOST, default=7)


class LicenseCopyOut(serializers.Serializer[Any]):
    """A copy; whoever has its link may fetch it until it ends."""

    uid = serializers.UUIDField()
    purpose = serializers.CharField()
    receiver = serializers.CharField()
    made_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    downloads = serializers.IntegerField()
    size = serializers.IntegerField(help_text="字节数")
    link = serializers.SerializerMethodField()

    def get_link(self, copy: LicenseCopy) -> str:
        """Return the address the file is fetched from."""
        return f"{settings.PUBLIC_URL}{reverse('portal:license-copy', args=[copies.token_of(copy)])}"


class LicensePdf(APIView):
    """The sealed PDF of a license."""

    permission_classes = (ForBusiness,)

    @extend_schema(operation_id="license_files_pdf", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """Return the file, made and sealed the first time, recorded as a use; its digests stand in the headers."""
        return _file(request, uid, FileKind.PDF)


class LicenseOfd(APIView):
    """The sealed OFD of a license."""

    permission_classes = (ForBusiness,)

    @extend_schema(operation_id="license_files_ofd", responses={(200, "application/ofd"): OpenApiTypes.BINARY})
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """Return the file, made and sealed the first time, recorded as a use; its digests stand in the headers."""
        return _file(request, uid, FileKind.OFD)


def _file(request: Request, uid: UUID, kind: FileKind) -> HttpResponse:
    license = get_visible(uid, actor(request))
    record, content = files.hand_out(license=license, kind=kind, actor=actor(request), now=timezone.now())
    headers = {
        "Content-Disposition": f'attachment; filename="license-{license.uid.hex[:12]}.{kind.lower()}"',
        "Cache-Control": "no-store",
        "X-Digest-SHA256": bytes(record.sha256).hex(),
        "X-Digest-SM3": bytes(record.sm3).hex(),
    }
    return HttpResponse(content, content_type=files.MEDIA_TYPES[kind], headers=headers)


class LicenseCopies(generics.ListAPIView[LicenseCopy]):
    """The copies of a license; a new one by POST."""

    permission_classes = (ForBusiness,)
    serializer_class = LicenseCopyOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> Any:
        """Return the copies of a license the actor may open."""
        return copies.copies_of(get_visible(self.kwargs["uid"], actor(self.request)))

    @extend_schema(operation_id="license_copies_create", parameters=[KEY], request=LicenseCopyIn, responses={201: LicenseCopyOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Make a copy for a purpose."""
        who = actor(request)
        license = get_visible(uid, who)
        serializer = LicenseCopyIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = dict(serializer.validated_data)

        def make() -> str:
            return str(copies.make(license=license, actor=who, now=timezone.now(), **given).uid)

        made, is_new = create_once(request, {"license": str(uid), **given}, make)
        return Response(LicenseCopyOut(LicenseCopy.objects.get(uid=made)).data, status=201 if is_new else 200)


urlpatterns = [
    path("licenses/<uuid:uid>/files/pdf", LicensePdf.as_view(), name="license-file-pdf"),
    path("licenses/<uuid:uid>/files/ofd", LicenseOfd.as_view(), name="license-file-ofd"),
    path("licenses/<uuid:uid>/copies", LicenseCopies.as_view(), name="license-copies"),
]
