"""Status lists (证照状态清单) for everybody: what lists there are, each with its bytes, and the keys they are signed with."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path, reverse
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFound
from licenses.models import KeyPurpose, ListName, SealKey, StatusList
from licenses.status import publishing

FRESH: Final = "public, max-age=180"
FOREVER: Final = "public, max-age=31536000, immutable"
NAMES: Final = "|".join(ListName.values)


class StatusListOut(serializers.Serializer[Any]):
    """A list in force: its number, how many places it has, how many licenses are in each state, where its bytes are."""

    name = serializers.ChoiceField(choices=ListName.values)
    number = serializers.IntegerField()
    length = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    built_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField()
    checked_at = serializers.DateTimeField()
    bytes = serializers.IntegerField(source="size")
    sha256 = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    def get_sha256(self, found: StatusList) -> str:
        """Return the digest of the bytes."""
        return bytes(found.sha256).hex()

    def get_url(self, found: StatusList) -> str:
        """Return the address of this list, which stays when the next one comes."""
        place = reverse("openapi:license-status-kept", kwargs={"name": found.name, "number": str(found.number)})
        return f"{settings.PUBLIC_URL.rstrip('/')}{place}"


class StatusListsOut(serializers.Serializer[Any]):
    """The lists in force."""

    lists = StatusListOut(many=True)


class OpenView(APIView):
    """Open to everybody, without a session."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class StatusLists(OpenView):
    """The lists in force."""

    @extend_schema(operation_id="licenseStatus_lists", responses=StatusListsOut, auth=[])
    def get(self, request: Request) -> Response:
        """Tell of the lists in force."""
        found = [one for name in ListName if (one := publishing.latest(name))]
        return Response({"lists": StatusListOut(found, many=True).data}, headers={"Cache-Control": FRESH})


class CurrentStatusList(OpenView):
    """The list in force, as signed."""

    @extend_schema(operation_id="licenseStatus_current", responses={(200, "application/json"): OpenApiTypes.OBJECT}, auth=[])
    def get(self, request: Request, name: str) -> HttpResponse:
        """Hand out the list in force; 304 to whoever has it."""
        return _served(request._request, publishing.latest(name), FRESH)


class KeptStatusList(OpenView):
    """A list of the past, for those who audit."""

    @extend_schema(operation_id="licenseStatus_kept", responses={(200, "application/json"): OpenApiTypes.OBJECT}, auth=[])
    def get(self, request: Request, name: str, number: str) -> HttpResponse:
        """Hand out a list by its number, while it is kept."""
        found = publishing.without_document().filter(name=name, number=int(number)).first()
        return _served(request._request, found, FOREVER)


class StatusKeys(OpenView):
    """The public keys status lists and license data are signed with, the retired ones included."""

    @extend_schema(
        operation_id="licenseStatus_keys",
        responses={(200, "application/x-pem-file"): OpenApiResponse(OpenApiTypes.STR, description="PEM")},
        auth=[],
    )
    def get(self, request: Request) -> HttpResponse:
        """Hand out the keys; whoever checks offline compares their ids with those the office publishes elsewhere."""
        trusted = SealKey.objects.filter(purpose__in=(KeyPurpose.STATUS, KeyPurpose.DATA), compromised_at=None).order_by("id")
        text = "".join(f"# {key.code}\n{key.public_key.strip()}\n" for key in trusted)
        response = HttpResponse(text, content_type="application/x-pem-file")
        response["Cache-Control"] = FRESH
        return response


def _served(request: HttpRequest, found: StatusList | None, freshness: str) -> HttpResponse:
    if found is None:
        raise NotFound("status_list.not_found", _("没有这一期状态清单，或已超过保留期。"))
    etag = f'"{bytes(found.sha256).hex()}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(bytes(found.document), content_type="application/json")
    response["ETag"], response["Cache-Control"] = etag, freshness
    return response


urlpatterns = [
    path("license-status", StatusLists.as_view(), name="license-status"),
    path("license-status/keys", StatusKeys.as_view(), name="license-status-keys"),
    re_path(rf"^license-status/(?P<name>{NAMES})$", CurrentStatusList.as_view(), name="license-status-current"),
    re_path(
        rf"^license-status/(?P<name>{NAMES})/(?P<number>[1-9][0-9]{{0,8}})$", KeptStatusList.as_view(), name="license-status-kept"
    ),
]
