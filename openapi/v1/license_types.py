"""The type catalogue (证照目录) at the door for systems: types, one with its face items, who issues it, the list of uses."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.keyset import page
from licenses.models import HolderKind, TypeOffice, TypeState, TypeUse, TypeVersion, ValidityKind
from licenses.types import offices, reading, uses
from licenses.types.publishing import today
from licenses.types.rulebook import MASKS, ItemKind
from openapi.authentication import actor
from openapi.pagination import PageQuery
from openapi.serializers import StrictQuery

CODE = OpenApiParameter("code", OpenApiTypes.STR, OpenApiParameter.PATH, description="证照类型代码，21 位")


class LicenseTypeQuery(PageQuery):
    """Which types."""

    q = serializers.CharField(required=False, allow_blank=True, max_length=100, help_text="名称、代码或定义机构中的词")
    holder_kind = serializers.ChoiceField(required=False, choices=HolderKind.choices)
    standing = serializers.ChoiceField(
        required=False, choices=reading.STANDINGS, help_text="LAID_OUT 已制版可签发，LISTED 仅入目录，DRAFT 有草稿，RETIRED 已停用"
    )


class VersionQuery(StrictQuery):
    """Which version of a type; the one in force unless a number is given."""

    number = serializers.IntegerField(required=False, min_value=1, max_value=32767)


class LicenseUseQuery(PageQuery):
    """Which lines of the list of uses."""

    code = serializers.RegexField("^[0-9A-Z]{21}$", required=False, help_text="证照类型代码")
    matter = serializers.CharField(required=False, max_length=200, help_text="事项名称，须完全一致")
    on = serializers.DateField(required=False, help_text="在这一天施行的，默认今天")


class KeeperOut(serializers.Serializer[Any]):
    """The department that maintains a type."""

    uid = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()


class LicenseTypeOut(serializers.ModelSerializer[TypeVersion]):
    """A version of a type as lists show it."""

    license_type_state = serializers.ChoiceField(choices=TypeState.choices, source="state")
    validity_kind = serializers.ChoiceField(choices=ValidityKind.choices)
    department = KeeperOut()
    effective_from = serializers.DateField(source="effective.lower", allow_null=True, default=None)
    effective_to = serializers.DateField(source="effective.upper", allow_null=True, default=None)
    item_count = serializers.SerializerMethodField()

    class Meta:
        model = TypeVersion
        fields: tuple[str, ...] = (
            "uid", "code", "number", "name", "defining_body", "defining_body_code", "holder_kind", "holders_at_most",
            "is_repeatable", "validity_kind", "validity_months", "license_type_state", "department", "effective_from",
            "effective_to", "item_count",
        )  # fmt: skip
        read_only_fields = fields

    def get_item_count(self, version: TypeVersion) -> int:
        """Return how many items its face has; none: the type is listed only."""
        return len(version.rulebook)


class FaceItemOut(serializers.Serializer[Any]):
    """An item of the face. `codes` names a code set, `choices` lists codes of its own with their labels."""

    name = serializers.CharField()
    title = serializers.CharField()
    item_kind = serializers.ChoiceField(choices=[kind.value for kind in ItemKind], source="kind")
    length = serializers.IntegerField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # a field of this name
    codes = serializers.CharField()
    choices = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    grade = serializers.CharField()
    mask = serializers.ChoiceField(choices=MASKS)
    source = serializers.CharField()  # type: ignore[assignment]  # a field of this name


class LicenseTypeDetailOut(LicenseTypeOut):
    """A version with its face and layout (millimetres from the upper left corner)."""

    rulebook = FaceItemOut(many=True)
    layout = serializers.JSONField()

    class Meta(LicenseTypeOut.Meta):
        fields = (*LicenseTypeOut.Meta.fields, "rulebook", "layout")
        read_only_fields = fields


class LicenseUseOut(serializers.ModelSerializer[TypeUse]):
    """A line of the list of uses: what a matter may ask for."""

    department = KeeperOut()
    effective_from = serializers.DateField(source="effective.lower", allow_null=True, default=None)
    effective_to = serializers.DateField(source="effective.upper", allow_null=True, default=None)

    class Meta:
        model = TypeUse
        fields = ("uid", "type_code", "matter", "purpose", "basis", "items", "department", "effective_from", "effective_to")
        read_only_fields = fields


class LicenseOfficeQuery(PageQuery):
    """Which offices."""

    code = serializers.RegexField("^[0-9A-Z]{21}$", required=False, help_text="证照类型代码")
    on = serializers.DateField(required=False, help_text="在这一天可以签发的，默认今天")


class LicenseOfficeOut(serializers.ModelSerializer[TypeOffice]):
    """An office entrusted with issuing a type besides the department that maintains it."""

    department = KeeperOut()
    region_code = serializers.CharField(source="department.region.code")
    effective_from = serializers.DateField(source="effective.lower")
    effective_to = serializers.DateField(source="effective.upper", allow_null=True, help_text="不含当天；空为今后一直可以签发")

    class Meta:
        model = TypeOffice
        fields = ("uid", "type_code", "department", "region_code", "basis", "effective_from", "effective_to")
        read_only_fields = fields


class LicenseOfficePageOut(serializers.Serializer[Any]):
    """A page of offices."""

    items = LicenseOfficeOut(many=True)
    next = serializers.CharField(allow_null=True)


class LicenseTypePageOut(serializers.Serializer[Any]):
    """A page of types."""

    items = LicenseTypeOut(many=True)
    next = serializers.CharField(allow_null=True)


class LicenseUsePageOut(serializers.Serializer[Any]):
    """A page of lines."""

    items = LicenseUseOut(many=True)
    next = serializers.CharField(allow_null=True)


class LicenseTypeList(APIView):
    """The types one may see, in the order of their codes."""

    @extend_schema(operation_id="license_types_list", parameters=[LicenseTypeQuery], responses=LicenseTypePageOut)
    def get(self, request: Request) -> Response:
        """Return one version a type: the one in force, else the newest published one, else the own draft."""
        asked = LicenseTypeQuery.of(request)
        rows = reading.searched(reading.catalogue(actor(request), _today()), asked.get("q", ""))
        if kind := asked.get("holder_kind"):
            rows = rows.filter(holder_kind=kind)
        if standing := asked.get("standing"):
            rows = reading.of_standing(rows, standing)
        found = page(rows, order=("code",), cursor=asked["after"], size=asked["limit"])
        return Response({"items": LicenseTypeOut(found.items, many=True).data, "next": found.next or None})


class LicenseTypeDetail(APIView):
    """One type."""

    @extend_schema(operation_id="license_types_retrieve", parameters=[CODE, VersionQuery], responses=LicenseTypeDetailOut)
    def get(self, request: Request, code: str) -> Response:
        """Return the version in force, or the one asked for, with its face and layout."""
        number = VersionQuery.of(request).get("number")
        versions = reading.versions_of(code, actor(request))
        if number is None:
            return Response(LicenseTypeDetailOut(reading.latest_of(versions, _today())).data)
        found = [version for version in versions if version.number == number]
        if not found:
            raise reading.not_found()
        return Response(LicenseTypeDetailOut(found[0]).data)


class LicenseOfficeList(APIView):
    """The offices that issue types besides the departments that maintain them."""

    @extend_schema(operation_id="license_offices_list", parameters=[LicenseOfficeQuery], responses=LicenseOfficePageOut)
    def get(self, request: Request) -> Response:
        """Return the offices that may issue now, or could on a day (former maintainers too), in the order they were entered."""
        asked = LicenseOfficeQuery.of(request)
        day = asked.get("on")
        rows = TypeOffice.objects.filter(effective__contains=day) if day else offices.entrusted(_today())
        rows = rows.select_related("department__region")
        if "code" in asked:
            rows = rows.filter(type_code=asked["code"])
        found = page(rows, order=("id",), cursor=asked["after"], size=asked["limit"])
        return Response({"items": LicenseOfficeOut(found.items, many=True).data, "next": found.next or None})


class LicenseUseList(APIView):
    """The list of uses."""

    @extend_schema(operation_id="license_uses_list", parameters=[LicenseUseQuery], responses=LicenseUsePageOut)
    def get(self, request: Request) -> Response:
        """Return the lines in force on a day, in the order they were entered."""
        asked = LicenseUseQuery.of(request)
        rows = uses.uses_in_force(asked.get("on") or _today()).select_related("department")
        for name, field in (("code", "type_code"), ("matter", "matter")):
            if name in asked:
                rows = rows.filter(**{field: asked[name]})
        found = page(rows, order=("id",), cursor=asked["after"], size=asked["limit"])
        return Response({"items": LicenseUseOut(found.items, many=True).data, "next": found.next or None})


def _today() -> date:
    return today(timezone.now())


urlpatterns = [
    path("license-types", LicenseTypeList.as_view(), name="license-type-list"),
    path("license-types/<slug:code>", LicenseTypeDetail.as_view(), name="license-type-detail"),
    path("license-type-offices", LicenseOfficeList.as_view(), name="license-type-office-list"),
    path("license-type-uses", LicenseUseList.as_view(), name="license-type-use-list"),
]
