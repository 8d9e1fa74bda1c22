"""Matters (一件事) at the door for systems: what a matter asks, and fetching the materials of a case in one signed call.

Parties' codes stand in the signed body alone. The answer is signed like that of a call; a repeat with the same Idempotency-Key gets
the same answer while it is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.audit import Actor
from core.errors import Invalid
from exchange.calls.refusals import Refusal
from exchange.calls.signatures import answer_headers
from exchange.calls.terms import Signed
from exchange.matters import definition, reading
from exchange.matters.asking import Ask
from exchange.matters.fetching import Fetched, fetch
from exchange.models import ConsumerSystem, Matter, MatterState, PartState
from openapi.authentication import SessionAuthentication
from openapi.errors import request_id_of
from openapi.idempotency import FORM, HEADER
from openapi.pagination import KeysetPagination
from openapi.serializers import StrictSerializer
from openapi.signed import CallingSystem, ForSystemsAndBusiness, SignedAuthentication, SignedBody

BODY_AT_MOST = 16_384


class ForSystems(IsAuthenticated):
    """Open to systems that sign alone: people fetch at the desk page."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return whether a system signed."""
        return isinstance(request.user, CallingSystem)


class PartyIn(StrictSerializer):
    """A party of the case."""

    party = serializers.CharField(max_length=40, help_text="当事人标识，见事项")
    code = serializers.CharField(max_length=40, help_text="公民身份号码或统一社会信用代码")


class MatterCaseIn(StrictSerializer):
    """The case materials are fetched for."""

    matter = serializers.CharField(max_length=40, help_text="事项编码")
    case_number = serializers.CharField(max_length=40, help_text="办件编号，本系统内唯一")
    parties = PartyIn(many=True, allow_empty=False)
    purpose = serializers.CharField(max_length=200)
    officer = serializers.CharField(max_length=40, required=False, help_text="经办人工号")
    parameters = serializers.DictField(child=serializers.CharField(max_length=100), required=False, help_text="管控参数")


class PartAnswerOut(serializers.Serializer[Any]):
    """What the database answered, as it was digested for the call record."""

    call_id = serializers.UUIDField()
    items = serializers.ListField(child=serializers.DictField(), help_text="取得的信息，键为授权的信息项")
    licenses = serializers.ListField(child=serializers.DictField(), help_text="所用证照：颁发机构，授权时含电子证照标识")
    source_department = serializers.CharField(source="source", allow_null=True)
    as_of = serializers.DateTimeField()


class CasePartOut(serializers.Serializer[Any]):
    """What became of one material."""

    material = serializers.CharField()
    title = serializers.CharField()
    party = serializers.CharField()
    state = serializers.ChoiceField(choices=PartState.choices)
    reason = serializers.CharField(help_text="未取得的原因代码")
    todo = serializers.CharField(
        help_text="SUBMIT 提交材料、REPORT_MISSING 提交材料并报告证照缺失、RENEW 先办延续、ASK_GRANT 申请授权、TRY_AGAIN 重试"
    )
    call_id = serializers.UUIDField(allow_null=True)
    items = serializers.ListField(child=serializers.CharField())
    missing_items = serializers.ListField(child=serializers.CharField(), help_text="事项需要而授权没有的信息项")
    answer = PartAnswerOut(allow_null=True)


class MatterCaseOut(serializers.Serializer[Any]):
    """A fetching with all its parts; without values once they are not kept any more."""

    case = serializers.UUIDField()
    fetch = serializers.UUIDField()
    matter = serializers.CharField()
    version = serializers.IntegerField()
    case_number = serializers.CharField()
    at = serializers.DateTimeField()
    kept_until = serializers.DateTimeField()
    values_kept = serializers.BooleanField()
    parts = CasePartOut(many=True)


class MatterCases(APIView):
    """Fetching for a case."""

    authentication_classes = (SignedBody,)
    permission_classes = (ForSystems,)

    @extend_schema(
        operation_id="matter_case_fetch",
        request=MatterCaseIn,
        responses={201: MatterCaseOut, 200: MatterCaseOut},
        parameters=[OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, required=True)],
    )
    def post(self, request: Request) -> HttpResponse:
        """Fetch every material that licenses or base data replace, each under its grant, in one call."""
        if len(request._request.body) > BODY_AT_MOST:
            raise Refusal("call.body_too_large", {"body": f"more_than_{BODY_AT_MOST}_bytes"})
        key = request.headers.get(HEADER, "")
        if not FORM.fullmatch(key):
            text = _("须为 1 至 64 位可见 ASCII 字符。")
            raise Invalid("request.idempotency_key_invalid", _("幂等键缺失或无效。"), {HEADER: [text]})
        body = MatterCaseIn(data=request.data)
        body.is_valid(raise_exception=True)
        signed = cast(Signed, request.auth)
        fetched = fetch(ask=_ask(body.validated_data, key), signed=signed, actor=_system_actor(request), now=timezone.now())
        return _answer(fetched, signed)


def _system(request: Request) -> CallingSystem:
    return cast(CallingSystem, request.user)


def _ask(given: Mapping[str, Any], key: str) -> Ask:
    return Ask(
        matter=given["matter"],
        case_number=given["case_number"],
        parties=[(one["party"], one["code"]) for one in given["parties"]],
        purpose=given["purpose"],
        key=f"rest:{key}",
        officer=given.get("officer", ""),
        parameters=given.get("parameters"),
    )


def _system_actor(request: Request) -> Actor:
    system = ConsumerSystem.objects.select_related("department").get(pk=_system(request).system_id)
    return Actor(
        name=system.name[:60], department_id=system.department_id, department=system.department.name,
        client_ip=request.META.get("REMOTE_ADDR") or None, request_id=request_id_of(request),
    )  # fmt: skip


def _answer(fetched: Fetched, signed: Signed) -> HttpResponse:
    """Return the answer with its digest signed; of one that is not kept any more what is left."""
    text = fetched.text
    if text is None:
        text = json.dumps(reading.told_without_values(fetched.fetch, fetched.fetch.case), ensure_ascii=False).encode()
    response = HttpResponse(text, content_type="application/json; charset=utf-8", status=201 if fetched.is_new else 200)
    response["Cache-Control"] = "no-store"
    response["X-Gov-Call-Id"] = signed.call_id
    for name, value in answer_headers(signed, response.status_code, hashlib.sha256(text).hexdigest()):
        response[name] = value
    return response


class CaseFetchOut(serializers.Serializer[Any]):
    """A fetching of a case, without values."""

    fetch = serializers.UUIDField()
    matter = serializers.CharField()
    version = serializers.IntegerField()
    case_number = serializers.CharField()
    at = serializers.DateTimeField()
    kept_until = serializers.DateTimeField()
    parts = CasePartOut(many=True)


class CaseOut(serializers.Serializer[Any]):
    """A case with its fetchings, the newest first."""

    case = serializers.UUIDField(source="case.uid")
    matter = serializers.CharField(source="case.matter_code")
    case_number = serializers.CharField(source="case.case_number")
    opened_at = serializers.DateTimeField(source="case.opened_at")
    fetches = serializers.SerializerMethodField()

    @extend_schema_field(CaseFetchOut(many=True))
    def get_fetches(self, found: reading.CaseView) -> list[dict[str, Any]]:
        """Return what is left of each fetching."""
        return [reading.told_without_values(made, found.case) for made in found.fetches]


class CaseOfSystem(APIView):
    """A case by the number it has in the calling system."""

    authentication_classes = (SignedAuthentication,)
    permission_classes = (ForSystems,)

    @extend_schema(operation_id="matter_case_read", responses=CaseOut)
    def get(self, request: Request, case_number: str) -> Response:
        """Return what was fetched for it, by whom and when."""
        return Response(CaseOut(reading.case_of_system(system_id=_system(request).system_id, case_number=case_number)).data)


class PartySpecOut(serializers.Serializer[Any]):
    """A party of a matter."""

    party = serializers.CharField(source="role")
    title = serializers.CharField()
    kind = serializers.CharField()
    is_required = serializers.BooleanField()


class MaterialOut(serializers.Serializer[Any]):
    """A material of a matter and what replaces it."""

    material = serializers.CharField(source="code")
    title = serializers.CharField()
    party = serializers.CharField(source="party.role")
    is_required = serializers.BooleanField()
    replaced_by = serializers.CharField(source="source")
    type_code = serializers.CharField()
    dataset = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField())


class MatterInForceOut(serializers.Serializer[Any]):
    """A matter in force."""

    matter = serializers.CharField(source="code")
    version = serializers.IntegerField(source="number")
    name = serializers.CharField()
    legal_basis = serializers.CharField()
    department = serializers.CharField(source="department.name")
    published_at = serializers.DateTimeField()
    parties = PartySpecOut(many=True)
    materials = serializers.SerializerMethodField()

    @extend_schema_field(MaterialOut(many=True))
    def get_materials(self, matter: Matter) -> Any:
        """Return the materials in their order."""
        return MaterialOut(matter.materials.select_related("party"), many=True).data


class MatterLineOut(serializers.Serializer[Any]):
    """A matter in a list."""

    matter = serializers.CharField(source="code")
    version = serializers.IntegerField(source="number")
    name = serializers.CharField()
    department = serializers.CharField(source="department.name")
    published_at = serializers.DateTimeField()


class MatterList(ListAPIView[Matter]):
    """The matters in force."""

    authentication_classes = (SignedAuthentication, SessionAuthentication)
    permission_classes = (ForSystemsAndBusiness,)
    pagination_class = KeysetPagination
    serializer_class = MatterLineOut
    queryset = Matter.objects.filter(state=MatterState.PUBLISHED).select_related("department")


class MatterByCode(APIView):
    """The version of a matter that is in force."""

    authentication_classes = (SignedAuthentication, SessionAuthentication)
    permission_classes = (ForSystemsAndBusiness,)

    @extend_schema(operation_id="matter_detail", responses=MatterInForceOut)
    def get(self, request: Request, code: str) -> Response:
        """Return its parties and materials."""
        return Response(MatterInForceOut(definition.published(code)).data)


urlpatterns = [
    path("matters", MatterList.as_view(), name="matter-list"),
    path("matters/<str:code>", MatterByCode.as_view(), name="matter-detail"),
    path("matter-cases", MatterCases.as_view(), name="matter-case-fetch"),
    path("matter-cases/<str:case_number>", CaseOfSystem.as_view(), name="matter-case-read"),
]
