"""What a grant holds (授权内容) at the door for systems: its versions, narrowing it, ending it, the consumer's own limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFound
from exchange.granting import grant_clients, grant_narrowing, terminations
from exchange.granting.grant_versions import terms_on
from exchange.granting.narrowing import GrantTerms
from exchange.models import Grant, GrantEvent
from exchange.querysets import grants_visible_to
from exchange.requests.request_terms import MAX_QUOTA_PER_DAY
from openapi.authentication import actor
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictQuery, StrictSerializer
from openapi.v1.grants import GrantOut
from openapi.v1.limits import LimitsIn, limits_of


class AsOfQuery(StrictQuery):
    """Which day."""

    as_of = serializers.DateField(required=False, help_text="只返回这一天（北京时间）有效过的版本")


class VersionOut(serializers.Serializer[Any]):
    """All terms of a grant from `at` until the next version."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    event = serializers.ChoiceField(choices=GrantEvent.choices)
    actor = serializers.CharField(source="actor_name")
    department = serializers.CharField(source="actor_department")
    reason = serializers.CharField()
    terms = serializers.DictField()


class RevisionIn(StrictSerializer):
    """The revision something was decided on."""

    revision = serializers.IntegerField(min_value=1, required=False)


class NarrowIn(LimitsIn, RevisionIn):
    """The terms that change; what is not named stays. Nothing may be wider than it is."""

    reason = serializers.CharField(max_length=500)
    fields_ = serializers.ListField(child=serializers.CharField(max_length=40), required=False, allow_empty=False, max_length=200)
    masks = serializers.DictField(child=serializers.CharField(max_length=20), required=False, help_text="信息项 -> 脱敏方式")
    region_prefix = serializers.CharField(max_length=12, required=False)
    quota_per_day = serializers.IntegerField(min_value=1, max_value=MAX_QUOTA_PER_DAY, required=False)
    last_day = serializers.DateField(required=False, help_text="使用期限的最后一天")

    def get_fields(self) -> dict[str, Any]:
        """Name the items `fields`, which the class itself may not."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class TerminateIn(RevisionIn):
    """A filing that ends a service (Order 809 art. 27)."""

    reason = serializers.CharField(max_length=500)
    negotiated_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="服务的最后一天")


class FilingOut(serializers.Serializer[Any]):
    """The filing."""

    number = serializers.CharField()
    grant = serializers.UUIDField(source="grant.uid")
    reason = serializers.CharField()
    negotiated_on = serializers.DateField()
    ends_on = serializers.DateField()
    previous_valid_to = serializers.DateTimeField()
    filed_at = serializers.DateTimeField()
    filed_by = serializers.CharField(source="filed_by_name")


class AddressesIn(RevisionIn):
    """Where calls come from."""

    ip_list = serializers.ListField(child=serializers.CharField(max_length=43), max_length=50, allow_empty=False)


class GrantVersions(APIView):
    """What exactly was granted, and when."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="grants_versions", parameters=[AsOfQuery], responses=VersionOut(many=True))
    def get(self, request: Request, uid: UUID) -> Response:
        """Return every version, or those that stood on a day, the latest first."""
        day = AsOfQuery.of(request).get("as_of")
        grant = _visible(request, uid)
        found = terms_on(grant, day) if day else grant.versions.order_by("-number")
        return Response(VersionOut(found, many=True).data)


class GrantNarrow(APIView):
    """Narrowing."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="grants_narrow", request=NarrowIn, responses=GrantOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """Make a grant narrower; it holds for the very next call."""
        given = _read(NarrowIn, request)
        asked = _asked(grant_narrowing.narrowable(_visible(request, uid)), given)
        done = grant_narrowing.narrow(asked=asked, reason=given["reason"], **_common(request, uid, given))
        return Response(GrantOut(done).data)


class GrantTerminate(APIView):
    """Ending with notice."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="grants_terminate", request=TerminateIn, responses=FilingOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """File the end of a service."""
        given = _read(TerminateIn, request)
        days = {name: given[name] for name in ("reason", "negotiated_on", "ends_on")}
        return Response(FilingOut(terminations.terminate(**days, **_common(request, uid, given))).data)


class GrantAddresses(APIView):
    """The consumer's addresses."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="grants_addresses", request=AddressesIn, responses=GrantOut)
    def post(self, request: Request, uid: UUID) -> Response:
        """Set the addresses for the first time, or make the list narrower."""
        given = _read(AddressesIn, request)
        done = grant_clients.limit_addresses(addresses=given["ip_list"], **_common(request, uid, given))
        return Response(GrantOut(done).data)


def _read(kind: type[StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = kind(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _common(request: Request, uid: UUID, given: dict[str, Any]) -> dict[str, Any]:
    return {"grant_uid": uid, "revision": given.get("revision"), "actor": actor(request), "now": timezone.now()}


def _asked(now: GrantTerms, given: dict[str, Any]) -> GrantTerms:
    """Return the terms of now with those that were named in their place."""
    terms: dict[str, Any] = {name: given[name] for name in ("fields", "region_prefix", "quota_per_day") if name in given}
    if "last_day" in given:
        terms["valid_to"] = grant_narrowing.end_of(given["last_day"])
    return replace(now, masks={**now.masks, **given.get("masks", {})}, limits=limits_of(given, now.limits), **terms)


def _visible(request: Request, uid: UUID) -> Grant:
    found = grants_visible_to(actor(request)).select_related("access_request", "system", "resource").filter(uid=uid).first()
    if found is None:
        raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
    return found


urlpatterns = [
    path("grants/<uuid:uid>/versions", GrantVersions.as_view(), name="grant-versions"),
    path("grants/<uuid:uid>/narrow", GrantNarrow.as_view(), name="grant-narrow"),
    path("grants/<uuid:uid>/terminate", GrantTerminate.as_view(), name="grant-terminate"),
    path("grants/<uuid:uid>/addresses", GrantAddresses.as_view(), name="grant-addresses"),
]
