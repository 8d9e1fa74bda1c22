"""Verification of licenses (证照核验) over REST: anybody, by identifier, QR code, file, or with a holder's name to compare.

Lookups without a session or signature are served by `openapi.license_verifications`, beside Django; a server that does not
dispatch by path reaches this view, which hands them to the same callable. Whoever signs in or signs is recorded as having used
the license.
"""

from __future__ import annotations

from typing import Any, Final, cast

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import Invalid
from core.models import User
from licenses.models import VerificationDoor
from licenses.verification import checks, counting, files, limits, recording
from licenses.verification.outcome import VERDICTS, Result, State
from openapi.authentication import SessionAuthentication, actor
from openapi.license_verifications import application, asked_in
from openapi.parsing import BoundedJSONParser
from openapi.serializers import StrictSerializer
from openapi.signed import CallingSystem, SignedAuthentication

QUESTION: Final = [
    OpenApiParameter("identifier", OpenApiTypes.STR, description="电子证照标识"),
    OpenApiParameter("code", OpenApiTypes.STR, description="证照二维码的内容；与 identifier 二选一"),
]


class VerificationIn(StrictSerializer):
    """A license to verify, and perhaps the name to compare; a name never stands in an address."""

    identifier = serializers.CharField(max_length=checks.LONGEST, required=False, help_text="电子证照标识")
    code = serializers.CharField(max_length=checks.LONGEST, required=False, help_text="证照二维码的内容")
    holder_name = serializers.CharField(max_length=checks.LONGEST_NAME, required=False, help_text="要比对的持证主体名称")


class FileIn(serializers.Serializer[Any]):
    """A sealed file."""

    file = serializers.FileField(help_text="证照文件（PDF 或 OFD），不超过 10 MB")


class FragmentOut(serializers.Serializer[Any]):
    """One of the three answers with its reason and what it rests on."""

    state = serializers.ChoiceField(choices=[state.value for state in State])
    code = serializers.CharField(help_text=f"稳定代码，例如：{'、'.join(VERDICTS)}；文件的代码以 file. 开头")
    message = serializers.CharField()
    evidence = serializers.DictField(child=serializers.CharField())


class VerifiedLicenseOut(serializers.Serializer[Any]):
    """What anybody may know of a license; a person's name is masked."""

    identifier = serializers.CharField()
    type_code = serializers.CharField()
    type_name = serializers.CharField()
    issuer_code = serializers.CharField()
    issuer_name = serializers.CharField()
    version = serializers.CharField()
    issued_on = serializers.DateField()
    valid_from = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True)
    holder = serializers.CharField()


class VerificationOut(serializers.Serializer[Any]):
    """Integrity, status and issuer, each valid, invalid or unknown."""

    state = serializers.ChoiceField(choices=[state.value for state in State])
    checked_at = serializers.DateTimeField()
    integrity = FragmentOut()
    status = FragmentOut()
    issuer = FragmentOut()
    license = VerifiedLicenseOut(allow_null=True)
    holder_agrees = serializers.BooleanField(allow_null=True)
    request_id = serializers.UUIDField()


ANSWERS: Final = {
    200: VerificationOut,
    413: OpenApiResponse({"$ref": "#/components/schemas/Error"}, description="`verification.file_too_large` 文件过大"),
    429: OpenApiResponse(
        {"$ref": "#/components/schemas/Error"}, description="`verification.too_many` 核验过于频繁，见 Retry-After"
    ),
}


class LicenseVerifications(APIView):
    """Verify a license."""

    permission_classes = (AllowAny,)
    parser_classes = (BoundedJSONParser, MultiPartParser)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Systems sign what they read; what is sent here is a person's or nobody's."""
        is_reading = self.request is None or self.request.method in ("GET", "HEAD")
        return [SignedAuthentication(), SessionAuthentication()] if is_reading else [SessionAuthentication()]

    @extend_schema(operation_id="licenseVerifications_lookup", parameters=QUESTION, responses=ANSWERS)
    def get(self, request: Request) -> HttpResponseBase:
        """Verify by identifier or QR code; with a session or a signature the verification is recorded."""
        if request.user is None:
            return _beside_django(request)
        now = timezone.now()
        code = asked_in(request.META.get("QUERY_STRING", ""))
        allowance = limits.take([limits.lookups_of(_asker(request))])
        result = checks.verify(code.identifier, code.position, now)
        return _answered(request, result, VerificationDoor.REST, allowance)

    @extend_schema(
        operation_id="licenseVerifications_check",
        request={"application/json": VerificationIn, "multipart/form-data": FileIn},
        responses=ANSWERS,
    )
    def post(self, request: Request) -> Response:
        """Verify a sealed file, or a license with a name to compare; nothing sent is kept."""
        files.check_length(request.META.get("CONTENT_LENGTH"))
        sent = request.data
        if isinstance(sent, QueryDict):
            return self._file(request, sent)
        now = timezone.now()
        question = VerificationIn(data=sent)
        question.is_valid(raise_exception=True)
        given = question.validated_data
        if ("identifier" in given) == ("code" in given):
            text = _("请只给出 identifier（电子证照标识）和 code（二维码内容）中的一个。")
            raise Invalid("verification.wrong_question", text, {"identifier": [text]})
        allowance = limits.take([limits.lookups_of(_asker(request))])
        result = checks.verify_code(given["code"], now) if "code" in given else checks.verify_identifier(given["identifier"], now)
        if "holder_name" in given and result.license is not None:
            limits.take(limits.names_of(_asker(request), result.license.identifier))
            result = checks.with_name_compared(result, given["holder_name"])
        return _answered(request, result, VerificationDoor.REST, allowance)

    def _file(self, request: Request, sent: QueryDict) -> Response:
        given: Any = sent.get("file")
        if set(sent) != {"file"} or not isinstance(given, UploadedFile):
            text = _("请上传一个证照文件，字段名为 file。")
            raise Invalid("verification.file_missing", text, {"file": [text]})
        allowance = limits.take([limits.files_of(_asker(request))])
        result = files.verify_file(files.read(given), timezone.now())
        return _answered(request, result, VerificationDoor.FILE, allowance)


def _asker(request: Request) -> str:
    """Return who is counted: the signed-in person, the system, else the address."""
    who = request.user
    if isinstance(who, CallingSystem):
        return f"system {who.system_id}"
    return f"user {who.pk}" if who is not None else str(request.META.get("REMOTE_ADDR") or "")


def _answered(request: Request, result: Result, door: VerificationDoor, allowance: limits.Allowance) -> Response:
    now, who = result.checked_at, request.user
    if isinstance(who, CallingSystem):
        recording.record(result, now=now, department_id=who.department_id, system=who.system_id)
    elif who is not None:
        recording.record(result, now=now, actor=actor(request), department_id=cast(User, who).department_id)
    counting.count(door.value, result.outcome, now)
    told = result.told() | {"request_id": getattr(request._request, "request_id", "")}
    return Response(told, headers={"Cache-Control": "no-store", **dict(allowance.headers())})


def _beside_django(request: Request) -> HttpResponse:
    started: list[Any] = []
    body = application(request._request.META, lambda status, headers: started.extend((status, headers)))
    return HttpResponse(body, status=int(started[0].split(" ", 1)[0]), headers=dict(started[1]))


urlpatterns = [path("license-verifications", LicenseVerifications.as_view(), name="license-verifications")]
