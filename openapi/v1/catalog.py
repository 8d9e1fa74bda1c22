"""The published catalogue for harvesters: DCAT 3 as JSON-LD, page by page, for people signed in and systems that sign."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.urls import path, reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import harvesting
from core.errors import Invalid
from core.keyset import page
from exchange.discovery import MEMBER_CLASS, SHARE
from openapi import dcat
from openapi.authentication import SessionAuthentication
from openapi.dcat_schema import CATALOG
from openapi.renderers import Json, JsonLd
from openapi.serializers import MomentField, StrictQuery
from openapi.signed import SignedAuthentication

LARGEST: Final = 500
ORDINARY: Final = 100


class WrongParameter(Invalid):
    """A parameter no harvester should send; 400, as those that walk such documents expect."""

    status = 400


class CatalogQuery(StrictQuery):
    """Where the walk stands and since when changes are asked for."""

    modified_since = MomentField(required=False, help_text="只列此刻及以后发布、变更或挂接的目录；ISO 8601，未写时区按北京时间")
    after = serializers.CharField(required=False, help_text="上一页 view.next 中的游标")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST, help_text="每页条数，默认 100")


class CatalogView(APIView):
    """Open to everybody who is known: it tells what the catalogue shows to all."""

    authentication_classes = (SignedAuthentication, SessionAuthentication)
    renderer_classes = (JsonLd,)

    @extend_schema(
        operation_id="catalog_dcat",
        summary="以 DCAT 3（JSON-LD）读取已发布目录",
        parameters=[CatalogQuery],
        responses={(200, "application/ld+json"): OpenApiResponse(response=CATALOG)},
    )
    def get(self, request: Request) -> Response:
        """Return one page, oldest entries first; the last one has no `next`."""
        try:
            asked = CatalogQuery.of(request)
            since, size = asked.get("modified_since"), asked.get("limit", ORDINARY)
            rows = harvesting.published(since)
            found = page(harvesting.shown(rows), order=harvesting.ORDER, cursor=asked.get("after", ""), size=size)
        except serializers.ValidationError as error:
            raise WrongParameter("request.invalid", _("提交的内容有误，详见各字段说明。"), _texts(error.detail)) from error
        except Invalid as error:
            raise WrongParameter(error.code, error.message, error.details) from error
        address = _site() + reverse("openapi:catalog-dcat")
        told = dcat.catalog_head(address, harvesting.publisher()) | {"totalItems": rows.count()} | _members(found.items)
        fixed = {"limit": str(size)} | ({"modified_since": since.isoformat()} if since else {})
        here = fixed | ({"after": asked["after"]} if "after" in asked else {})
        view = {
            "id": f"{address}?{urlencode(here)}",
            "type": "hydra:PartialCollectionView",
            "first": f"{address}?{urlencode(fixed)}",
        }
        if found.next:
            view["next"] = f"{address}?{urlencode(fixed | {'after': found.next})}"
        return Response(told | {"view": view})

    def handle_exception(self, exc: Exception) -> Response:
        """Say what is wrong in the one error body, which is plain JSON."""
        self.request.accepted_renderer, self.request.accepted_media_type = Json(), Json.media_type
        return super().handle_exception(exc)


def _members(entries: list[Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the entries of a page and the interfaces of those that can be called."""
    datasets, services = [], []
    endpoint = f"{_site()}/openapi/v1/calls"
    for entry in entries:
        address = _site() + reverse("openapi:resource-detail", args=[entry.uid])
        told = dcat.dataset(entry, address)
        if dcat.is_served(entry):
            told["distribution"] = dcat.distribution(entry, address, endpoint=endpoint)
            services.append(dcat.data_service(entry, address, endpoint=endpoint, description=_description_of(entry)))
        datasets.append(told)
    return {"dataset": datasets, "service": services}


def _description_of(entry: Any) -> str:
    """Return where the interface of an entry is described to whoever asks."""
    place = {"instance": settings.NODE_CODE, "member_class": MEMBER_CLASS, "code": entry.provider.code, "application": SHARE}
    return f"{_site()}{reverse('mediator:get-openapi', kwargs=place)}?{urlencode({'serviceCode': entry.code})}"


def _texts(detail: Any) -> dict[str, list[str]]:
    return {name: [str(text) for text in texts] for name, texts in detail.items()}


def _site() -> str:
    return str(settings.PUBLIC_URL).rstrip("/")


urlpatterns = [path("catalog.jsonld", CatalogView.as_view(), name="catalog-dcat")]
