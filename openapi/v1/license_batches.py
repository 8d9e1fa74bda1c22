"""Bulk issuing (批量签发) at the door for systems: a department's system or operator hands in licenses, a head signs, rows tell.

Nothing is issued by the request itself: the platform checks every row, another person signs the batch, a worker issues it. Rows
that are refused say why; the others are issued all the same.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.audit import Actor
from core.errors import Forbidden, Invalid, NotFound
from core.keyset import page
from core.roles import Role
from core.submissions import digest_of, once
from exchange.models import ConsumerSystem
from licenses.issuing import batches, desks
from licenses.issuing.candidates import ENTITY, LONGEST_NAME, PERSON
from licenses.models import BatchSource, BatchState, IssuingBatch, IssuingRow, IssuingRowState, License
from openapi.authentication import SessionAuthentication, actor
from openapi.errors import request_id_of
from openapi.idempotency import FORM, HEADER, create_once
from openapi.pagination import PageQuery
from openapi.serializers import StrictSerializer
from openapi.signed import CallingSystem, ForSystemsAndBusiness, SignedAuthentication, SignedBody

KEY = OpenApiParameter(HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER, description="同一个值重复提交只生效一次，最长 64 个字符")
LONGEST_ITEM = 4_000


class ItemText(serializers.CharField):
    """The value of a face item: text and nothing that could be written as text."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers and the like."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class HolderIn(StrictSerializer):
    """A holder; without `code_type` the form of the code tells."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    code = serializers.CharField(max_length=18)
    code_type = serializers.ChoiceField(
        choices=[(PERSON, gettext_lazy("公民身份号码")), (ENTITY, gettext_lazy("统一社会信用代码"))], required=False
    )


class LicenseRowIn(StrictSerializer):
    """One license to issue. `face` has the items of the type's rulebook by name."""

    number = serializers.CharField(max_length=100, required=False, allow_blank=True, help_text="证照编号，空则以流水号为编号")
    holders = serializers.ListField(child=HolderIn(), min_length=1, max_length=100)
    valid_from = serializers.DateField(required=False)
    valid_to = serializers.DateField(required=False, allow_null=True)
    region_code = serializers.RegexField("^[0-9]{6,12}$", required=False, help_text="管辖属地，空则为本部门所在区划")
    has_paper = serializers.BooleanField(required=False)
    face = serializers.DictField(child=ItemText(max_length=LONGEST_ITEM, allow_blank=True), required=False)


class LicenseBatchIn(StrictSerializer):
    """Licenses of one type."""

    type_code = serializers.RegexField("^[0-9A-Z]{18}[0-9]{3}$")
    rows = serializers.ListField(child=LicenseRowIn(), min_length=1, max_length=batches.MOST_BY_REST)


class LicenseBatchOut(serializers.Serializer[Any]):
    """Where a batch is. `good_count` rows passed the check, `issued_count` of them are licenses."""

    uid = serializers.UUIDField()
    number = serializers.CharField()
    license_type = serializers.CharField(source="type_version.code")
    batch_state = serializers.ChoiceField(choices=BatchState.choices, source="state")
    batch_source = serializers.ChoiceField(choices=BatchSource.choices, source="source")
    row_count = serializers.IntegerField()
    good_count = serializers.IntegerField()
    refused_count = serializers.IntegerField()
    issued_count = serializers.IntegerField()
    remark = serializers.CharField()
    created_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class RowFaultOut(serializers.Serializer[Any]):
    """What speaks against a row."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class LicenseRowOut(serializers.Serializer[Any]):
    """What became of a row; `place` is its place in the request, from 1."""

    place = serializers.IntegerField()
    row_state = serializers.ChoiceField(choices=IssuingRowState.choices, source="state")
    identifier = serializers.CharField(allow_null=True)
    license = serializers.UUIDField(allow_null=True)
    faults = RowFaultOut(many=True)


class LicenseBatchPageOut(serializers.Serializer[Any]):
    """A page of batches."""

    items = LicenseBatchOut(many=True)
    next = serializers.CharField(allow_null=True)


class LicenseRowPageOut(serializers.Serializer[Any]):
    """A page of rows."""

    items = LicenseRowOut(many=True)
    next = serializers.CharField(allow_null=True)


class RowQuery(PageQuery):
    """Which rows."""

    row_state = serializers.ChoiceField(choices=IssuingRowState.choices, required=False)


class LicenseBatchList(APIView):
    """The batches of the department; a new one by POST."""

    permission_classes = (ForSystemsAndBusiness,)

    def get_authenticators(self) -> list[Any]:
        """The signature of a POST covers its body."""
        is_post = self.request is not None and self.request.method == "POST"
        return [SignedBody() if is_post else SignedAuthentication(), SessionAuthentication()]

    @extend_schema(operation_id="license_batches_list", parameters=[PageQuery], responses=LicenseBatchPageOut)
    def get(self, request: Request) -> Response:
        """Return the batches the caller handed in or may see, the newest first."""
        asked = PageQuery.of(request)
        found = page(_batches(request), order=("-id",), cursor=asked["after"], size=asked["limit"])
        return Response({"items": LicenseBatchOut(found.items, many=True).data, "next": found.next or None})

    @extend_schema(
        operation_id="license_batches_create", parameters=[KEY], request=LicenseBatchIn, responses={201: LicenseBatchOut}
    )
    def post(self, request: Request) -> Response:
        """Hand in licenses to be checked, signed by a head of the department and issued; follow them at `rows`."""
        form = LicenseBatchIn(data=request.data)
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        who, system_id = _who(request)

        def make() -> str:
            rows = [_row(row) for row in given["rows"]]
            order: dict[str, Any] = {"type_code": given["type_code"], "rows": rows, "source": BatchSource.REST}
            return str(batches.take_in(**order, actor=who, system_id=system_id, now=timezone.now()).uid)

        uid, is_new = _create_once(request, given, make, system_id)
        return Response(LicenseBatchOut(_found(request, UUID(uid))).data, status=201 if is_new else 200)


class LicenseBatchDetail(APIView):
    """One batch."""

    authentication_classes = (SignedAuthentication, SessionAuthentication)
    permission_classes = (ForSystemsAndBusiness,)

    @extend_schema(operation_id="license_batches_retrieve", responses=LicenseBatchOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return where it is."""
        return Response(LicenseBatchOut(_found(request, uid)).data)


class LicenseBatchRows(APIView):
    """The rows of a batch."""

    authentication_classes = (SignedAuthentication, SessionAuthentication)
    permission_classes = (ForSystemsAndBusiness,)

    @extend_schema(operation_id="license_batches_rows", parameters=[RowQuery], responses=LicenseRowPageOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return what became of each row, in the order they came."""
        asked = RowQuery.of(request)
        rows = _found(request, uid).rows.all()
        if state := asked.get("row_state"):
            rows = rows.filter(state=state)
        found = page(rows, order=("place",), cursor=asked["after"], size=asked["limit"])
        return Response({"items": LicenseRowOut(_shown(found.items), many=True).data, "next": found.next or None})


def _shown(rows: list[IssuingRow]) -> list[dict[str, Any]]:
    made = License.objects.in_bulk([row.license_id for row in rows if row.license_id])
    shown = []
    for row in rows:
        license = made.get(row.license_id or 0)
        told = {"identifier": license.identifier if license else None, "license": license.uid if license else None}
        shown.append({"place": row.place, "state": row.state, "faults": row.faults, **told})
    return shown


def _row(given: dict[str, Any]) -> dict[str, Any]:
    """Return a row as a batch keeps it: days as texts, what was left out empty."""
    days = {name: given[name].isoformat() if given.get(name) else "" for name in ("valid_from", "valid_to")}
    return {
        "number": given.get("number", ""),
        "holders": [dict(holder) for holder in given["holders"]],
        "region_code": given.get("region_code", ""),
        "has_paper": given.get("has_paper", False),
        "face": dict(given.get("face") or {}),
        **days,
    }


def _who(request: Request) -> tuple[Actor, int | None]:
    """Return who hands something in: a person, or a system in the name of its department."""
    if not isinstance(request.user, CallingSystem):
        return actor(request), None
    system = ConsumerSystem.objects.select_related("department").get(pk=request.user.system_id)
    who = Actor(
        name=system.name[:60],
        department_id=system.department_id,
        department=system.department.name,
        client_ip=request.user.client_ip or None,
        request_id=request_id_of(request),
    )
    return who, system.pk


def _create_once(request: Request, values: dict[str, Any], make: Any, system_id: int | None) -> tuple[str, bool]:
    """As `create_once`; a system must name a key, since it sends again what it got no answer for."""
    if system_id is None:
        if not actor(request).has(Role.OPERATOR):
            raise Forbidden("draft.operators_only", _("证照由颁发机构的经办人起草。"))
        return create_once(request, values, make)
    key = request.headers.get(HEADER, "")
    if not FORM.fullmatch(key):
        text = _("须为 1 至 64 位可见 ASCII 字符。")
        raise Invalid("request.idempotency_key_invalid", _("幂等键无效。"), {HEADER: [text]})
    return once(owner=f"system:{system_id}", token=key, digest=digest_of(values), make=make)


def _batches(request: Request) -> QuerySet[IssuingBatch]:
    if isinstance(request.user, CallingSystem):
        return IssuingBatch.objects.select_related("type_version").filter(system_id=request.user.system_id)
    return desks.batches_visible_to(actor(request))


def _found(request: Request, uid: UUID) -> IssuingBatch:
    batch = _batches(request).filter(uid=uid).first()
    if batch is None:
        raise NotFound("batch.not_found", _("没有这一批，或您无权查看。"))
    return batch


urlpatterns = [
    path("licenses/batches", LicenseBatchList.as_view(), name="license-batch-list"),
    path("licenses/batches/<uuid:uid>", LicenseBatchDetail.as_view(), name="license-batch-detail"),
    path("licenses/batches/<uuid:uid>/rows", LicenseBatchRows.as_view(), name="license-batch-rows"),
]
