"""Places (空间地理) at the door for systems: match addresses, name the divisions of a point or a code on a day, count a division.

Addresses are asked by POST, so that nobody's home stands in an address line or a log. Layers and tiles are the OGC door's.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

from django.db import transaction
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from basedb.geography import divisions, figures, matching
from core.calendar import SHANGHAI
from core.errors import NotFound
from openapi.authentication import actor
from openapi.permissions import ForBusiness
from openapi.serializers import StrictQuery, StrictSerializer

_CODE = r"^[1-9][0-9]{1,11}$"


class AddressTextsIn(StrictSerializer):
    """Up to a thousand texts, perhaps within one division."""

    texts = serializers.ListField(
        child=serializers.CharField(max_length=matching.LONGEST), min_length=1, max_length=matching.MOST_AT_ONCE
    )
    division = serializers.RegexField(_CODE, required=False, help_text="只在该区划内匹配")
    most = serializers.IntegerField(required=False, min_value=1, max_value=20, help_text="每条最多返回的候选数，默认 5")


class CandidateOut(serializers.Serializer[Any]):
    """A standard address, or for who may not see rooms a building; coordinates are CGCS2000, longitude and latitude."""

    address_code = serializers.CharField(allow_null=True, help_text="只到楼栋的为空")
    full_address = serializers.CharField()
    region_code = serializers.CharField()
    longitude = serializers.FloatField(allow_null=True)
    latitude = serializers.FloatField(allow_null=True)
    score = serializers.FloatField()


class MatchOut(serializers.Serializer[Any]):
    """What became of one text."""

    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in matching.Verdict])
    normalized = serializers.CharField()
    candidates = CandidateOut(many=True)


class MatchesOut(serializers.Serializer[Any]):
    """One answer a text, in their order."""

    items = MatchOut(many=True)


class AddressMatches(APIView):
    """Creates nothing; the texts are neither kept nor logged."""

    permission_classes = (ForBusiness,)

    @extend_schema(request=AddressTextsIn, responses=MatchesOut, operation_id="addresses_match")
    def post(self, request: Request) -> Response:
        """Match texts to standard addresses; rooms are told to the data centre's reviewers and to those who keep addresses."""
        body = AddressTextsIn(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        with transaction.atomic():
            found = matching.match_many(
                given["texts"],
                division=given.get("division", ""),
                most=given.get("most", 5),
                to_the_room=matching.may_see_rooms(actor(request)),
            )
        return Response(MatchesOut({"items": found}).data)


class DegreesField(serializers.FloatField):
    """A number that is one: NaN would be neither below nor above any limit."""

    def to_internal_value(self, data: Any) -> float:
        """Refuse what is no finite number."""
        value: float = super().to_internal_value(data)
        if not isfinite(value):
            self.fail("invalid")
        return value


class PointQuery(StrictQuery):
    """A point in CGCS2000 degrees."""

    longitude = DegreesField(min_value=73.6, max_value=134.8)
    latitude = DegreesField(min_value=16.7, max_value=53.6)


class PointOnDayQuery(PointQuery):
    """A point and the day, today unless said."""

    on = serializers.DateField(required=False)


class NearQuery(PointQuery):
    """A point and how many addresses."""

    most = serializers.IntegerField(required=False, min_value=1, max_value=20)


class PlaceOut(serializers.Serializer[Any]):
    """A division a point lies in; the approval number is that of its outline."""

    code = serializers.CharField()
    name = serializers.CharField()
    level = serializers.CharField()
    approval_number = serializers.CharField()
    is_fictive = serializers.BooleanField(help_text="演示用虚构界线")


class PlacesOut(serializers.Serializer[Any]):
    """From the largest division to the smallest."""

    items = PlaceOut(many=True)


class PointDivisions(APIView):
    """Needs approved outlines; without any the list is empty. Outlines are those in force now, of an ended division its last."""

    permission_classes = (ForBusiness,)

    @extend_schema(parameters=[PointOnDayQuery], responses=PlacesOut, operation_id="point_divisions")
    def get(self, request: Request) -> Response:
        """Return the divisions a point lies in on a day."""
        given = PointOnDayQuery.of(request)
        day = given.pop("on", None) or timezone.now().astimezone(SHANGHAI).date()
        return Response(PlacesOut({"items": divisions.divisions_at(**given, day=day)}).data)


class NearOut(serializers.Serializer[Any]):
    """A standard address, or a building, near a point."""

    address_code = serializers.CharField(allow_null=True, help_text="只到楼栋的为空")
    full_address = serializers.CharField()
    region_code = serializers.CharField()
    longitude = serializers.FloatField()
    latitude = serializers.FloatField()
    metres = serializers.FloatField()


class NearestOut(serializers.Serializer[Any]):
    """Nearest first."""

    items = NearOut(many=True)


class NearestAddresses(APIView):
    """The way back from a point (逆地理编码)."""

    permission_classes = (ForBusiness,)

    @extend_schema(parameters=[NearQuery], responses=NearestOut, operation_id="nearest_addresses")
    def get(self, request: Request) -> Response:
        """Return the standard addresses nearest to a point."""
        found = matching.nearest(**NearQuery.of(request), to_the_room=matching.may_see_rooms(actor(request)))
        return Response(NearestOut({"items": found}).data)


class DayQuery(StrictQuery):
    """The day, today unless said."""

    on = serializers.DateField(required=False)


class StandingOut(serializers.Serializer[Any]):
    """A division as it stood on the day, null when its code stood for nothing then, and what came before and after it."""

    code = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    level = serializers.CharField(allow_null=True)
    valid_from = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True)
    is_standing = serializers.BooleanField()
    predecessors = serializers.ListField(child=serializers.CharField())
    successors = serializers.ListField(child=serializers.CharField())
    heirs = serializers.ListField(child=serializers.CharField(), help_text="该日承接的现行区划代码")


class DivisionOnDay(APIView):
    """Codes change: an old one stays valid for its time."""

    permission_classes = (ForBusiness,)

    @extend_schema(parameters=[DayQuery], responses=StandingOut, operation_id="division_on_day")
    def get(self, request: Request, code: str) -> Response:
        """Return what a code stood for on a day, and its successors."""
        day = DayQuery.of(request).get("on") or timezone.now().astimezone(SHANGHAI).date()
        unknown = NotFound("division.not_found", _("没有这个区划代码。"))
        if not re.fullmatch(_CODE, code):
            raise unknown
        standing = divisions.division_on(code, day)
        before, after = divisions.predecessors(code), divisions.successors(code)
        heirs = divisions.standing_heirs(code, day)
        if standing is None and not (before or after or heirs):
            raise unknown
        told = {name: getattr(standing, name, None) for name in ("name", "level", "valid_from", "valid_to")}
        told |= {"code": divisions.long_code(code), "is_standing": standing is not None}
        return Response(StandingOut(told | {"predecessors": before, "successors": after, "heirs": heirs}).data)


class FiguresQuery(StrictQuery):
    """The division whose next level is counted; none is the whole country."""

    code = serializers.RegexField(_CODE, required=False)


class FigureOut(serializers.Serializer[Any]):
    """How many rows of a dataset a division holds."""

    division_code = serializers.CharField()
    dataset = serializers.CharField()
    count = serializers.IntegerField()
    counted_at = serializers.DateTimeField()


class FiguresOut(serializers.Serializer[Any]):
    """A division and those one level below it."""

    items = FigureOut(many=True)


class DivisionFigures(APIView):
    """Counted every night; counts only, no rows."""

    permission_classes = (ForBusiness,)

    @extend_schema(parameters=[FiguresQuery], responses=FiguresOut, operation_id="division_figures")
    def get(self, request: Request) -> Response:
        """Return the figures of a division and of those below it."""
        return Response(FiguresOut({"items": figures.figures_below(FiguresQuery.of(request).get("code", ""))}).data)


urlpatterns = [
    path("geography/address-matches", AddressMatches.as_view(), name="geography-address-matches"),
    path("geography/point-divisions", PointDivisions.as_view(), name="geography-point-divisions"),
    path("geography/nearest-addresses", NearestAddresses.as_view(), name="geography-nearest-addresses"),
    path("geography/division-figures", DivisionFigures.as_view(), name="geography-division-figures"),
    path("geography/divisions/<str:code>", DivisionOnDay.as_view(), name="geography-division"),
]
