"""Statistics of licenses (证照统计) at the door for systems: the figures of the page, read-only, as of their last counting."""

from __future__ import annotations

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange.license_statistics import reading
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictQuery


class LicenseStatisticsIn(StrictQuery):
    """Which licenses, and what they are counted by."""

    by = serializers.ChoiceField(choices=reading.GROUPS, required=False, help_text="缺省按证照类型")
    use_by = serializers.ChoiceField(choices=reading.USE_GROUPS, required=False, help_text="缺省按用证方式")
    type_code = serializers.RegexField("^[0-9A-Z]{21}$", required=False)
    issuer = serializers.CharField(max_length=200, required=False)
    region = serializers.RegexField("^[0-9]{6}$", required=False)


class HeldLicensesOut(serializers.Serializer[Any]):
    """Licenses held; a license of several holders counts once a holder."""

    key = serializers.CharField()
    title = serializers.CharField()
    total = serializers.IntegerField()
    live = serializers.IntegerField()
    expired = serializers.IntegerField()
    ended = serializers.IntegerField()


class LicensesCoveredOut(serializers.Serializer[Any]):
    """The share of those who should hold a type; `rule` says who is counted as such."""

    type_code = serializers.CharField()
    title = serializers.CharField()
    rule = serializers.CharField()
    expected = serializers.IntegerField()
    held = serializers.IntegerField()
    percent = serializers.FloatField(allow_null=True)


class LicensesUsedOut(serializers.Serializer[Any]):
    """Uses of something."""

    key = serializers.CharField()
    title = serializers.CharField()
    count = serializers.IntegerField()


class LicensesMissedOut(serializers.Serializer[Any]):
    """Reports of missing licenses of a type."""

    type_code = serializers.CharField()
    title = serializers.CharField()
    total = serializers.IntegerField()
    open = serializers.IntegerField()
    reissued = serializers.IntegerField()
    absent = serializers.IntegerField()


class LicenseStatisticsOut(serializers.Serializer[Any]):
    """The figures; `as_of` is null before the first counting. Missing ones are counted when asked."""

    as_of = serializers.DateTimeField(allow_null=True)
    total = HeldLicensesOut()
    held = HeldLicensesOut(many=True)
    coverage = LicensesCoveredOut(many=True)
    uses = LicensesUsedOut(many=True)
    missing = LicensesMissedOut(many=True)


class LicenseStatistics(APIView):
    """What is held, how far it covers, what it was used for, what is missing."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(parameters=[LicenseStatisticsIn], responses=LicenseStatisticsOut, operation_id="license_statistics")
    def get(self, request: Request) -> Response:
        """Return the figures."""
        given = LicenseStatisticsIn.of(request)
        names = {"type_code": "type_code", "issuer": "issuer", "region": "region"}
        scope = reading.Scope(**{name: given[key] for key, name in names.items() if key in given})
        figures = {
            "as_of": reading.measured_at(),
            "total": reading.total(scope),
            "held": reading.held(given.get("by", "type"), scope),
            "coverage": reading.covered(),
            "uses": reading.used(given.get("use_by", "channel"), type_code=scope.type_code),
            "missing": reading.missed(),
        }
        return Response(LicenseStatisticsOut(figures).data)


urlpatterns = [path("license-statistics", LicenseStatistics.as_view(), name="license-statistics")]
