"""The catalogue at the door for systems: search with filters, and one entry with its items. Reading only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import mounting, search
from catalog.models import BaseDatabase, DataItem, Grade, Resource, ShareAttribute, SharingMode
from catalog.search import Filters
from openapi.authentication import actor
from openapi.pagination import KeysetPagination, PageQuery


class ResourceQuery(PageQuery):
    """Filters of the search; every one is optional."""

    q = serializers.CharField(required=False, allow_blank=True, max_length=100, help_text="关键词；空则按发布时间从新到旧")
    base_database = serializers.ChoiceField(required=False, choices=BaseDatabase.choices)
    share_attribute = serializers.ChoiceField(required=False, choices=ShareAttribute.choices)
    provider = serializers.UUIDField(required=False, help_text="提供方部门的 uid")
    grade = serializers.ChoiceField(required=False, choices=Grade.choices)
    mode = serializers.ChoiceField(required=False, choices=SharingMode.choices)


class ItemSerializer(serializers.ModelSerializer[DataItem]):
    """One data item (信息项)."""

    class Meta:
        model = DataItem
        fields = ("name", "title", "data_type", "length", "is_key", "is_sensitive", "grade", "mask", "is_withheld", "standard")
        read_only_fields = fields


class ProviderSerializer(serializers.Serializer[Any]):
    """The providing department."""

    uid = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()


class ResourceSerializer(serializers.ModelSerializer[Resource]):
    """One entry as a list shows it."""

    provider = ProviderSerializer(read_only=True)
    region = serializers.CharField(source="region.code", read_only=True)

    class Meta:
        model = Resource
        fields: tuple[str, ...] = (
            "uid",
            "code",
            "title",
            "summary",
            "keywords",
            "classification",
            "provider",
            "region",
            "base_database",
            "source_format",
            "update_cycle",
            "share_attribute",
            "share_conditions",
            "withheld_basis",
            "sharing_modes",
            "control_parameters",
            "grade",
            "concerns_minors",
            "state",
            "version",
            "published_at",
        )
        read_only_fields = fields


class ResourceDetailSerializer(ResourceSerializer):
    """One entry with its items; `is_mounted` says whether granted calls can be answered."""

    items = ItemSerializer(many=True, read_only=True)
    is_mounted = serializers.SerializerMethodField()

    class Meta(ResourceSerializer.Meta):
        fields = (*ResourceSerializer.Meta.fields, "items", "is_mounted")
        read_only_fields = fields

    def get_is_mounted(self, resource: Resource) -> bool:
        """Return whether the entry is served out of a dataset."""
        return mounting.binding_of(resource) is not None


class ResourceListView(APIView):
    """Search the published entries."""

    pagination_class = KeysetPagination

    @extend_schema(
        operation_id="resources_list",
        summary="检索数据目录",
        parameters=[ResourceQuery],
        responses={200: ResourceSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Return one page, by rank when `q` asks for something; the last page has `next: null`."""
        asked = ResourceQuery.of(request)
        words, cursor, size = asked.pop("q", ""), asked.pop("after"), asked.pop("limit")
        found = search.find(words, Filters(**asked), cursor=cursor, size=size)
        return Response({"items": ResourceSerializer(found.items, many=True).data, "next": found.next or None})


class ResourceView(APIView):
    """One entry."""

    @extend_schema(
        operation_id="resources_retrieve",
        summary="查看一条目录及其信息项",
        parameters=[OpenApiParameter("uid", OpenApiTypes.UUID, OpenApiParameter.PATH)],
        responses={200: ResourceDetailSerializer},
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """Return the entry; 404 when it does not exist or may not be seen."""
        rows = Resource.objects.select_related("provider", "region").prefetch_related("items").defer("search_vector")
        return Response(ResourceDetailSerializer(rows.get_visible(uid, actor(request))).data)


urlpatterns = [
    path("resources", ResourceListView.as_view(), name="resource-list"),
    path("resources/<uuid:uid>", ResourceView.as_view(), name="resource-detail"),
]
