"""Discovery with the paths of the GovStack information mediator (元服务): clients, methods, allowed methods, descriptions.

Below /r1/ and without it. The client's name in a header is only compared: who asks is said by a signature or a session.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.conf import settings
from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import Resource
from core.errors import Forbidden
from core.models import Department
from exchange import discovery
from exchange.descriptions import of_entry, of_grant
from exchange.discovery import ENDPOINTS, MEMBER_CLASS, SHARE, ErrorInRequest, Member, Service, path_of
from exchange.models import ConsumerSystem, Grant
from exchange.querysets import systems_visible_to
from openapi.authentication import SessionAuthentication, actor
from openapi.grant_document import document
from openapi.renderers import Json, TextYaml, Yaml
from openapi.signed import CallingSystem, ForSystemsAndBusiness, SignedAuthentication
from openapi.v1.grant_descriptions import described

CLIENT_HEADERS: Final = ("Information-Mediator-Client", "X-GovStack-Client")
SERVICE_CODE: Final = re.compile("[A-Za-z0-9][A-Za-z0-9./_-]{0,63}")
CLIENT: Final = OpenApiParameter(
    "X-GovStack-Client", str, OpenApiParameter.HEADER, description="客户端标识；也可写作 Information-Mediator-Client"
)
SERVICE: Final = OpenApiParameter("serviceId", str, description="只要这一个服务")
PLACE: Final = "<str:instance>/<str:member_class>/<str:code>/<str:application>"


class ClientIdOut(serializers.Serializer[Any]):
    """The address of a client."""

    objectType = serializers.ChoiceField(choices=["MEMBER", "APPLICATION"])  # noqa: N815
    instanceId = serializers.CharField()  # noqa: N815
    memberClass = serializers.CharField()  # noqa: N815
    memberCode = serializers.CharField()  # noqa: N815
    applicationCode = serializers.CharField(required=False)  # noqa: N815


class ClientOut(serializers.Serializer[Any]):
    """A department, its sharing service, or one of its systems."""

    name = serializers.CharField()
    id = ClientIdOut()


class ClientListOut(serializers.Serializer[Any]):
    """All there are for this caller."""

    member = ClientOut(many=True)


class EndpointOut(serializers.Serializer[Any]):
    """One way to call a service."""

    method = serializers.CharField()
    path = serializers.CharField()


class EndpointListOut(serializers.Serializer[Any]):
    """The ways to call a service."""

    member = EndpointOut(many=True)


class MethodOut(serializers.Serializer[Any]):
    """A service: one entry of the catalogue."""

    objectType = serializers.ChoiceField(choices=["SERVICE"])  # noqa: N815
    serviceType = serializers.CharField()  # noqa: N815
    instanceId = serializers.CharField()  # noqa: N815
    memberClass = serializers.CharField()  # noqa: N815
    memberCode = serializers.CharField()  # noqa: N815
    applicationCode = serializers.CharField()  # noqa: N815
    serviceCode = serializers.CharField()  # noqa: N815
    serviceVersion = serializers.CharField()  # noqa: N815
    endpointList = EndpointListOut()  # noqa: N815


class MethodListOut(serializers.Serializer[Any]):
    """The services of a provider."""

    member = MethodOut(many=True)


class Discovery(APIView):
    """Open to systems that sign and to signed-in people; the name of a client is no sign of who asks."""

    authentication_classes = (SignedAuthentication, SessionAuthentication)
    permission_classes = (ForSystemsAndBusiness,)
    renderer_classes: tuple[Any, ...] = (Json,)

    def client(self, request: Request) -> ConsumerSystem | None:
        """Return the system that asks or is asked for; None when a person names none. Any other name is refused."""
        who = request.user
        if isinstance(who, CallingSystem):
            seen: QuerySet[ConsumerSystem] = ConsumerSystem.objects.filter(pk=who.system_id)
        else:
            seen = systems_visible_to(actor(request))
        named = {request.headers[name] for name in CLIENT_HEADERS if name in request.headers}
        if not named and not isinstance(who, CallingSystem):
            return None
        rows = seen.select_related("department")
        found = rows.first() if isinstance(who, CallingSystem) else rows.filter(uid__in=_uids(named)).first()
        if found is None or (named and named != {client_id(found)}):
            raise Forbidden("discovery.client_mismatch", _("请求头所写的客户端不是签名或登录的一方，请核对客户端标识。"))
        return found


class ListClients(Discovery):
    """Departments, their sharing services, and the caller's own systems (客户端清单)."""

    @extend_schema(
        operation_id="listClients",
        tags=["discovery"],
        parameters=[OpenApiParameter("instanceId", str)],
        responses=ClientListOut,
    )
    def get(self, request: Request) -> Response:
        """Return the clients of this instance."""
        if request.query_params.get("instanceId", settings.NODE_CODE) != settings.NODE_CODE:
            raise ErrorInRequest("discovery.unknown_instance", _("没有这个实例，本平台的实例编码见 listClients。"))
        who = request.user
        self.client(request)
        if isinstance(who, CallingSystem):
            systems: QuerySet[ConsumerSystem] = ConsumerSystem.objects.filter(department=who.department_id)
        else:
            systems = systems_visible_to(actor(request))
        return Response({"member": [{"name": one.name, "id": _address(one)} for one in discovery.members(systems)]})


class ListMethods(Discovery):
    """What a provider has published (服务清单)."""

    @extend_schema(operation_id="listMethods", tags=["discovery"], parameters=[CLIENT, SERVICE], responses=MethodListOut)
    def get(self, request: Request, **address: str) -> Response:
        """Return the services of a provider, whether or not the caller was granted any."""
        self.client(request)
        provider = discovery.provider_of(**_named(address))
        return Response(_methods(provider, discovery.offered_by(provider, request.query_params.get("serviceId", ""))))


class AllowedMethods(Discovery):
    """What the caller may call at this moment (可调用服务清单)."""

    @extend_schema(operation_id="allowedMethods", tags=["discovery"], parameters=[CLIENT, SERVICE], responses=MethodListOut)
    def get(self, request: Request, **address: str) -> Response:
        """Return the services the caller holds a usable grant of, with the paths of these grants."""
        system = self.client(request)
        if system is None:
            raise ErrorInRequest("discovery.client_required", _("请在请求头中写明客户端标识，指明查询哪个系统。"))
        provider = discovery.provider_of(**_named(address))
        service = request.query_params.get("serviceId", "")
        return Response(_methods(provider, _callable(request, system, provider, service)))


class GetOpenApi(Discovery):
    """The description of one service (服务说明)."""

    renderer_classes = (Json, Yaml, TextYaml)

    @extend_schema(
        operation_id="getOpenAPI",
        tags=["discovery"],
        parameters=[CLIENT, OpenApiParameter("serviceCode", str, required=True)],
        responses={(200, "application/json"): OpenApiResponse(OpenApiTypes.OBJECT), (200, "text/yaml"): OpenApiTypes.STR},
    )
    def get(self, request: Request, **address: str) -> Response:
        """Return what the caller may call of the service; when that is nothing, what is offered to be asked for."""
        system = self.client(request)
        provider = discovery.provider_of(**_named(address))
        code = request.query_params.get("serviceCode", "")
        entry = None
        if SERVICE_CODE.fullmatch(code):
            rows = Resource.objects.requestable().filter(provider=provider, code=code)
            entry = rows.select_related("provider", "binding").prefetch_related("items").first()
        if entry is None:
            raise ErrorInRequest("discovery.unknown_service", _("没有这个服务，请按 listMethods 返回的 serviceCode 填写。"))
        ways = [way for service in _callable(request, system, provider, code) for way in service.ways] if system else []
        grants = described(Grant.objects.filter(uid__in=[uid for _mode, uid in ways])).order_by("id")
        told = [of_grant(grant) for grant in grants] or of_entry(entry)
        site = settings.PUBLIC_URL.rstrip("/")
        return Response(document(told, title=entry.title, version=str(entry.version), site=site))


def client_id(system: ConsumerSystem) -> str:
    """Return the name of a system in the client header."""
    return f"{settings.NODE_CODE}/{MEMBER_CLASS}/{system.department.code}/{system.uid}"


def _callable(request: Request, system: ConsumerSystem, provider: Department, service: str) -> list[Service]:
    now = timezone.now()
    who = request.user
    if isinstance(who, CallingSystem):
        return discovery.callable_by(system.pk, provider, client_ip=who.client_ip, now=now, service=service)
    if not discovery.may_call(system, now):
        return []
    return discovery.callable_by(system.pk, provider, client_ip=None, now=now, service=service)


def _named(address: dict[str, str]) -> dict[str, str]:
    return {name: address[name] for name in ("instance", "member_class", "code", "application")}


def _uids(named: set[str]) -> list[str]:
    found = [name.rpartition("/")[2] for name in named]
    return [uid for uid in found if re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", uid)]


def _address(one: Member) -> dict[str, str]:
    place = {"instanceId": settings.NODE_CODE, "memberClass": MEMBER_CLASS, "memberCode": one.code}
    if not one.application:
        return {"objectType": "MEMBER"} | place
    return {"objectType": "APPLICATION"} | place | {"applicationCode": one.application}


def _methods(provider: Department, services: list[Service]) -> dict[str, Any]:
    fixed = {
        "objectType": "SERVICE",
        "serviceType": "OPENAPI",
        "instanceId": settings.NODE_CODE,
        "memberClass": MEMBER_CLASS,
        "memberCode": provider.code,
        "applicationCode": SHARE,
    }
    endpoints = {ways: _endpoints(ways) for ways in {service.ways for service in services}}
    return {
        "member": [
            fixed | {"serviceCode": service.code, "serviceVersion": str(service.version), "endpointList": endpoints[service.ways]}
            for service in services
        ]
    }


def _endpoints(ways: tuple[tuple[str, str], ...]) -> dict[str, list[dict[str, str]]]:
    found = [(method, path_of(mode, grant, place)) for mode, grant in ways for method, place in ENDPOINTS[mode]]
    return {"member": [{"method": method, "path": path} for method, path in found]}


app_name = "mediator"
_ROUTES: Final = (
    ("listClients", ListClients, "list-clients"),
    (f"{PLACE}/listMethods", ListMethods, "list-methods"),
    (f"{PLACE}/allowedMethods", AllowedMethods, "allowed-methods"),
    (f"{PLACE}/getOpenAPI", GetOpenApi, "get-openapi"),
)
urlpatterns = [path(f"r1/{place}", view.as_view(), name=name) for place, view, name in _ROUTES]
urlpatterns += [path(place, view.as_view(schema=None), name=f"{name}-plain") for place, view, name in _ROUTES]
