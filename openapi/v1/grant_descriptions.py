"""The description of one grant (授权接口说明) for client generators, to its system and to the people who see the grant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import NotFound
from exchange.descriptions import of_grant
from exchange.models import Grant
from exchange.querysets import grants_visible_to
from openapi.authentication import SessionAuthentication, actor
from openapi.grant_document import document
from openapi.renderers import Json, TextYaml, Yaml
from openapi.signed import CallingSystem, ForSystemsAndBusiness, SignedAuthentication


def described(rows: QuerySet[Grant]) -> QuerySet[Grant]:
    """Return grants with what their description is made of."""
    return rows.select_related("resource__provider", "resource__binding").prefetch_related("resource__items")


class GrantDescription(APIView):
    """What this grant allows, as an OpenAPI document."""

    authentication_classes = (SignedAuthentication, SessionAuthentication)
    permission_classes = (ForSystemsAndBusiness,)
    renderer_classes = (Json, Yaml, TextYaml)

    @extend_schema(
        operation_id="grants_openapi",
        summary="取得一项授权的 OpenAPI 说明（JSON 或 YAML）",
        responses={(200, "application/json"): OpenApiResponse(OpenApiTypes.OBJECT), (200, "application/yaml"): OpenApiTypes.STR},
    )
    def get(self, request: Request, uid: UUID) -> Response:
        """Return the document; 404 for a grant of others."""
        who = request.user
        seen = Grant.objects.filter(system=who.system_id) if isinstance(who, CallingSystem) else grants_visible_to(actor(request))
        grant = described(seen).filter(uid=uid).first()
        if grant is None:
            raise NotFound("grant.not_found", _("没有这项授权，或您无权查看。"))
        return Response(document_of(grant))


def document_of(grant: Grant) -> dict[str, Any]:
    """Return the document of one grant."""
    told = of_grant(grant)
    title = f"{told.title} {grant.get_mode_display()}"
    return document([told], title=title, version=str(grant.version), site=settings.PUBLIC_URL.rstrip("/"))


urlpatterns = [path("grants/<uuid:uid>/openapi", GrantDescription.as_view(), name="grant-openapi")]
