"""Remarks, attachments, copies and renewals (备注、附件、复制、续期) at the door for systems."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFound
from exchange.models import AccessRequest, Attachment, Remark
from exchange.querysets import access_requests_visible_to
from exchange.requests import remarks, renewals
from exchange.requests.attachments import keeping
from exchange.requests.attachments.keeping import LARGEST, LONGEST_REASON, MOST, Upload, attachments_visible_to
from exchange.requests.attachments.serving import headers_of
from exchange.requests.attachments.shelf import Shelf
from exchange.requests.remark_reading import remarks_visible_to
from exchange.requests.renewals import Copied
from openapi.authentication import actor
from openapi.idempotency import create_once
from openapi.pagination import KeysetPagination
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer
from openapi.v1.access_requests import KEY


class AttachmentOut(serializers.Serializer[Any]):
    """A file; of a redacted one the content is gone."""

    uid = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    uploaded_by = serializers.CharField(source="uploaded_by_name")
    uploaded_at = serializers.DateTimeField()
    redacted_at = serializers.DateTimeField(allow_null=True)
    redaction_reason = serializers.CharField()


class RemarkOut(serializers.Serializer[Any]):
    """A remark with its files."""

    uid = serializers.UUIDField()
    at = serializers.DateTimeField()
    author = serializers.CharField(source="author_name")
    department = serializers.CharField(source="author_department")
    is_private = serializers.BooleanField()
    text = serializers.CharField()
    attachments = AttachmentOut(many=True)


class FilesIn(StrictSerializer):
    """Files as parts of a form."""

    has_json_types = False

    file = serializers.ListField(child=serializers.FileField(), allow_empty=False, max_length=MOST)


class RemarkIn(StrictSerializer):
    """A remark as parts of a form; files may come with it."""

    has_json_types = False

    text = serializers.CharField(max_length=remarks.LONGEST)
    is_private = serializers.BooleanField(default=False)
    file = serializers.ListField(child=serializers.FileField(), required=False, max_length=MOST)


class RedactIn(StrictSerializer):
    """Why the content is taken away."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class CopiedOut(serializers.Serializer[Any]):
    """A new draft, and what of the earlier request is not offered any more."""

    uid = serializers.UUIDField(source="access_request.uid")
    number = serializers.CharField(source="access_request.number")
    dropped = serializers.ListField(child=serializers.CharField())


class RemarkList(generics.ListAPIView[Remark]):
    """The remarks on a request that one may read; a new one by POST."""

    permission_classes = (ForBusinessAndAudit,)
    parser_classes = (MultiPartParser,)
    serializer_class = RemarkOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Remark]:
        """Return what the actor may read of a request that the actor may see."""
        found = _visible(self.request, self.kwargs["uid"])
        return remarks_visible_to(actor(self.request)).filter(access_request=found).prefetch_related("attachments")

    @extend_schema(operation_id="remarks_create", parameters=[KEY], request=RemarkIn, responses={201: RemarkOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Add a remark with its files."""
        _visible(request, uid)
        given, uploads = _form(RemarkIn, request)
        who = actor(request)
        with Shelf() as shelf:

            def make() -> str:
                made = remarks.add(
                    request_uid=uid, text=given["text"], is_private=given["is_private"], uploads=uploads, actor=who,
                    now=timezone.now(), on=shelf,
                )  # fmt: skip
                return str(made.uid)

            made_uid, is_new = create_once(request, _said(uid, given, uploads), make)
        made = remarks_visible_to(who).get(uid=made_uid)
        return Response(RemarkOut(made).data, status=201 if is_new else 200)


class AttachmentList(generics.ListAPIView[Attachment]):
    """The files of a request itself; more by POST while it may be edited."""

    permission_classes = (ForBusinessAndAudit,)
    parser_classes = (MultiPartParser,)
    serializer_class = AttachmentOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Attachment]:
        """Return the files of a request that the actor may see."""
        found = _visible(self.request, self.kwargs["uid"])
        return attachments_visible_to(actor(self.request)).filter(access_request=found, remark=None)

    @extend_schema(operation_id="attachments_create", parameters=[KEY], request=FilesIn, responses={201: AttachmentOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Attach files, all of them or none; the first one is returned."""
        _visible(request, uid)
        given, uploads = _form(FilesIn, request)
        who = actor(request)
        with Shelf() as shelf:

            def make() -> str:
                made = keeping.attach(request_uid=uid, uploads=uploads, actor=who, now=timezone.now(), on=shelf)
                return str(made[0].uid)

            made_uid, is_new = create_once(request, _said(uid, given, uploads), make)
        return Response(AttachmentOut(attachments_visible_to(who).get(uid=made_uid)).data, status=201 if is_new else 200)


class AttachmentContent(APIView):
    """One file."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(responses={200: OpenApiResponse(OpenApiTypes.BINARY)})
    def get(self, request: Request, uid: UUID) -> HttpResponse:
        """Hand the file out; the download is written down first."""
        attachment, content = keeping.open_one(attachment_uid=uid, actor=actor(request), now=timezone.now())
        return HttpResponse(content, headers=headers_of(attachment))


class AttachmentRedaction(APIView):
    """Taking the content of a file away."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="attachments_redact", request=RedactIn, responses=AttachmentOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """Take the content away for good; name and digest stay."""
        serializer = RedactIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        reason = serializer.validated_data["reason"]
        done = keeping.redact(attachment_uid=uid, reason=reason, actor=actor(request), now=timezone.now())
        return Response(AttachmentOut(done).data)


class RequestCopy(APIView):
    """A request copied as a new draft."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="access_requests_copy", parameters=[KEY], request=None, responses={201: CopiedOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Write a new draft with the answers that are still offered."""
        who = actor(request)
        return _ask_again(request, lambda: renewals.copy_as_new(request_uid=uid, actor=who, now=timezone.now()))


class GrantRenewal(APIView):
    """The next term of a grant."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="grants_renew", parameters=[KEY], request=None, responses={201: CopiedOut})
    def post(self, request: Request, uid: UUID) -> Response:
        """Draft the next term, from 60 days before the grant ends."""
        who = actor(request)
        return _ask_again(request, lambda: renewals.renew(grant_uid=uid, actor=who, now=timezone.now()))


def _ask_again(request: Request, ask: Callable[[], Copied]) -> Response:
    dropped: list[str] = []

    def make() -> str:
        copied = ask()
        dropped.extend(copied.dropped)
        return str(copied.access_request.uid)

    uid, is_new = create_once(request, {"path": request.path}, make)
    made = access_requests_visible_to(actor(request)).get(uid=uid)
    return Response(CopiedOut(Copied(made, tuple(dropped))).data, status=201 if is_new else 200)


def _form(kind: type[StrictSerializer], request: Request) -> tuple[dict[str, Any], list[Upload]]:
    """Return the fields and the files of a form."""
    sent = cast(QueryDict, request.data)
    data: dict[str, Any] = sent.dict()
    if "file" in data:
        data["file"] = sent.getlist("file")
    serializer = kind(data=data)
    serializer.is_valid(raise_exception=True)
    given = dict(serializer.validated_data)
    return given, [Upload(file.name or "", file.read(LARGEST + 1)) for file in given.pop("file", [])]


def _said(uid: UUID, given: dict[str, Any], uploads: list[Upload]) -> dict[str, Any]:
    """Return what tells one submission from another."""
    return {"request": str(uid), **given, "files": [upload.mark() for upload in uploads]}


def _visible(request: Request, uid: UUID) -> AccessRequest:
    found = access_requests_visible_to(actor(request)).filter(uid=uid).first()
    if found is None:
        raise NotFound("access_request.not_found", _("没有这项申请，或您无权查看。"))
    return found


urlpatterns = [
    path("access-requests/<uuid:uid>/remarks", RemarkList.as_view(), name="remark-list"),
    path("access-requests/<uuid:uid>/attachments", AttachmentList.as_view(), name="attachment-list"),
    path("access-requests/<uuid:uid>/copy", RequestCopy.as_view(), name="access-request-copy"),
    path("grants/<uuid:uid>/renew", GrantRenewal.as_view(), name="grant-renew"),
    path("attachments/<uuid:uid>", AttachmentContent.as_view(), name="attachment-content"),
    path("attachments/<uuid:uid>/redact", AttachmentRedaction.as_view(), name="attachment-redact"),
]
