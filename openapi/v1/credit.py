"""Public credit (社会信用) at the door for systems: what the public may see of an enterprise, repairs and objections.

Records of natural persons are never listed here. Records are named by their kind and the `record` a list answers with.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from basedb.credit import objections, records, repairs
from basedb.credit.cases import LONGEST
from basedb.identifiers import normalize_uscc, uscc_valid
from basedb.models import CreditObjection, CreditRepair, ObjectionState, RepairState
from basedb.models.credit import CreditRow
from core.calendar import today_in_shanghai
from core.errors import Invalid, NotFound
from core.keyset import page
from exchange.subject_keys import subject_key_of
from openapi.authentication import actor
from openapi.idempotency import HEADER, create_once
from openapi.pagination import KeysetPagination, PageQuery
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictSerializer

KINDS = [code.removeprefix("credit.") for code in records.KINDS]
KEY = OpenApiParameter(HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER)


class PublicQuery(PageQuery):
    """Of which enterprise, which kind."""

    uscc = serializers.CharField(max_length=18, help_text="统一社会信用代码")
    kind = serializers.ChoiceField(choices=KINDS)


class PublicRecordOut(serializers.Serializer[Any]):
    """A record the public may see; `is_disputed` while an objection is being checked."""

    record = serializers.SerializerMethodField()
    document_number = serializers.CharField()
    subject_name = serializers.CharField()
    authority = serializers.CharField()
    item_code = serializers.CharField()
    decided_on = serializers.DateField()
    publish_until = serializers.DateField(allow_null=True)
    is_disputed = serializers.SerializerMethodField()

    def get_record(self, found: CreditRow) -> str:
        """Return the key of the record."""
        return bytes(found.row_key).hex()

    def get_is_disputed(self, found: Any) -> bool:
        """Return whether it is marked."""
        return bool(found.display == records.DISPUTED)


class PublicPageOut(serializers.Serializer[Any]):
    """A page of records."""

    items = PublicRecordOut(many=True)
    next = serializers.CharField(allow_null=True)


class ObjectionIn(StrictSerializer):
    """What is wrong with which record."""

    kind = serializers.ChoiceField(choices=KINDS)
    record = serializers.RegexField("^[0-9a-f]{32}$")
    reason = serializers.CharField(max_length=LONGEST)


class RepairIn(ObjectionIn):
    """Why which record is to be repaired, and how the duties were carried out."""

    evidence = serializers.CharField(max_length=LONGEST)


class CaseOut(serializers.Serializer[Any]):
    """Where a case is; the department that determined the record decides."""

    uid = serializers.UUIDField()
    number = serializers.CharField()
    document_number = serializers.CharField()
    owner = serializers.CharField(source="owner.name")
    submitted_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    answer = serializers.CharField()


class RepairOut(CaseOut):
    """A repair."""

    repair_state = serializers.ChoiceField(choices=RepairState.choices, source="state")


class CreditObjectionOut(CaseOut):
    """An objection to a credit record."""

    credit_objection_state = serializers.ChoiceField(choices=ObjectionState.choices, source="state")


class PublicRecordList(APIView):
    """What the public may see of an enterprise."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="credit_records_list", parameters=[PublicQuery], responses=PublicPageOut)
    def get(self, request: Request) -> Response:
        """Return the records of a kind that are published, neither shielded nor withdrawn, the newest decision first."""
        asked = PublicQuery.of(request)
        code = normalize_uscc(asked["uscc"])
        key = subject_key_of(code) if uscc_valid(code) else None
        if key is None:
            text = _("统一社会信用代码的形式或校验位不正确。")
            raise Invalid("credit.uscc_invalid", text, {"uscc": [text]})
        today = today_in_shanghai(timezone.now())
        rows = records.public_records(f"credit.{asked['kind']}", subject_key=key, today=today)
        found = page(rows, order=("-decided_on", "-id"), cursor=asked["after"], size=asked["limit"])
        return Response({"items": PublicRecordOut(found.items, many=True).data, "next": found.next or None})


class RepairList(generics.ListAPIView[CreditRepair]):
    """The repairs one may see; a new one by POST."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = RepairOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[CreditRepair]:
        """Return what the actor may see."""
        return repairs.repairs_visible_to(actor(self.request))

    @extend_schema(operation_id="credit_repairs_create", parameters=[KEY], request=RepairIn, responses={201: RepairOut})
    def post(self, request: Request) -> Response:
        """Apply for the repair of a record; too early is refused with the first possible day in `details.first_day[0]`."""
        given = _given(RepairIn, request)
        who, where = actor(request), _where(given)

        def make() -> str:
            texts = {"reason": given["reason"], "evidence": given["evidence"]}
            return str(repairs.submit_repair(**where, **texts, actor=who, now=timezone.now()).uid)

        uid, is_new = create_once(request, given, make)
        made = repairs.repairs_visible_to(who).get(uid=uid)
        return Response(RepairOut(made).data, status=201 if is_new else 200)


class RepairDetail(APIView):
    """One repair."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="credit_repairs_retrieve", responses=RepairOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return where it is."""
        return Response(RepairOut(_found(repairs.repairs_visible_to(actor(request)).filter(uid=uid).first())).data)


class CreditObjectionList(generics.ListAPIView[CreditObjection]):
    """The objections to credit records one may see; a new one by POST."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = CreditObjectionOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[CreditObjection]:
        """Return what the actor may see."""
        return objections.objections_visible_to(actor(self.request))

    @extend_schema(
        operation_id="credit_objections_create", parameters=[KEY], request=ObjectionIn, responses={201: CreditObjectionOut}
    )
    def post(self, request: Request) -> Response:
        """Object to a record, which is marked from now on."""
        given = _given(ObjectionIn, request)
        who, where = actor(request), _where(given)

        def make() -> str:
            return str(objections.raise_objection(**where, reason=given["reason"], actor=who, now=timezone.now()).uid)

        uid, is_new = create_once(request, given, make)
        made = objections.objections_visible_to(who).get(uid=uid)
        return Response(CreditObjectionOut(made).data, status=201 if is_new else 200)


class CreditObjectionDetail(APIView):
    """One objection."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(operation_id="credit_objections_retrieve", responses=CreditObjectionOut)
    def get(self, request: Request, uid: UUID) -> Response:
        """Return where it is."""
        found = objections.objections_visible_to(actor(request)).filter(uid=uid).first()
        return Response(CreditObjectionOut(_found(found)).data)


def _given(form: type[StrictSerializer], request: Request) -> dict[str, Any]:
    serializer = form(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _where(given: dict[str, Any]) -> dict[str, Any]:
    return {"dataset": f"credit.{given['kind']}", "row_key": records.key_of(given["record"])}


def _found(case: Any) -> Any:
    if case is None:
        raise NotFound("credit.case_not_found", _("没有这个事项，或您无权查看。"))
    return case


urlpatterns = [
    path("credit/records", PublicRecordList.as_view(), name="credit-record-list"),
    path("credit/repairs", RepairList.as_view(), name="credit-repair-list"),
    path("credit/repairs/<uuid:uid>", RepairDetail.as_view(), name="credit-repair-detail"),
    path("credit/objections", CreditObjectionList.as_view(), name="credit-objection-list"),
    path("credit/objections/<uuid:uid>", CreditObjectionDetail.as_view(), name="credit-objection-detail"),
]
