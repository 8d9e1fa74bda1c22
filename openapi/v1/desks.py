"""The work of the desks (办理岗位) at the door for systems: inbox, claims, bulk decisions, delegations while away."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import Grade
from core.errors import Invalid
from core.keyset import page
from exchange.models import AccessRequest, BulkDecision, BulkLine, BulkOutcome, Delegation, Desk, RequestState
from exchange.models.desk_work import DELEGABLE
from exchange.requests import bulk_decisions, claims, delegation
from exchange.requests import inbox as lists
from openapi.authentication import actor
from openapi.idempotency import FORM, HEADER, create_once
from openapi.pagination import KeysetPagination, PageQuery
from openapi.permissions import ForBusiness, ForBusinessAndAudit
from openapi.serializers import MomentField, StrictSerializer

KEY = OpenApiParameter(HEADER, OpenApiTypes.STR, OpenApiParameter.HEADER, required=True)


class InboxIn(PageQuery):
    """What the inbox is narrowed to."""

    tab = serializers.ChoiceField(choices=lists.TABS, required=False, help_text="默认 todo")
    state = serializers.ChoiceField(choices=RequestState.values, required=False)
    due = serializers.ChoiceField(choices=lists.DUE, required=False)
    requester = serializers.UUIDField(required=False)
    q = serializers.CharField(max_length=100, required=False)
    grade = serializers.ChoiceField(choices=Grade.values, required=False)
    claimed = serializers.ChoiceField(choices=lists.CLAIMED, required=False)


class InboxOut(serializers.Serializer[Any]):
    """A request as the inbox shows it."""

    uid = serializers.UUIDField()
    number = serializers.CharField()
    revision = serializers.IntegerField()
    resource = serializers.CharField(source="resource.title")
    requester = serializers.CharField(source="requester.name")
    purpose = serializers.CharField()
    share_attribute = serializers.CharField(source="resource.share_attribute")
    state = serializers.ChoiceField(choices=RequestState.choices)
    desk = serializers.ChoiceField(choices=Desk.choices)
    due_at = serializers.DateTimeField(allow_null=True)
    claimed_by = serializers.SerializerMethodField()

    def get_claimed_by(self, row: AccessRequest) -> str:
        """Return who takes care of it."""
        held = lists.open_claim_of(row)
        return held.claimed_by.display_name if held else ""


class InboxPage(serializers.Serializer[Any]):
    """A page of the inbox."""

    items = InboxOut(many=True)
    next = serializers.CharField(allow_null=True)


class Inbox(APIView):
    """What waits for the caller, left the own desk, or was asked for."""

    permission_classes = (ForBusiness,)

    @extend_schema(parameters=[InboxIn], responses=InboxPage, operation_id="inbox_list")
    def get(self, request: Request) -> Response:
        """Return a page: to-dos the most urgent first, the other tabs newest first."""
        given = InboxIn.of(request)
        cursor, size, tab = given.pop("after"), given.pop("limit"), given.pop("tab", "todo")
        rows = lists.rows(actor=actor(request), tab=tab, asked=lists.Asked(**given), now=timezone.now())
        order = lists.ORDER if tab == "todo" else lists.NEWEST
        found = page(rows, order=order, cursor=cursor, size=size)
        return Response({"items": InboxOut(found.items, many=True).data, "next": found.next or None})


class ClaimIn(StrictSerializer):
    """Whom a request is handed to; nobody: the caller claims it."""

    colleague = serializers.UUIDField(required=False)


class ClaimOut(serializers.Serializer[Any]):
    """Who takes care of a request."""

    claimed_by = serializers.CharField(source="claimed_by.display_name")
    claimed_at = serializers.DateTimeField()
    desk = serializers.ChoiceField(choices=Desk.choices)


class RequestClaim(APIView):
    """Claim a request, hand it over, or release it."""

    permission_classes = (ForBusiness,)

    @extend_schema(request=ClaimIn, responses=ClaimOut, operation_id="inbox_claim")
    def put(self, request: Request, uid: UUID) -> Response:
        """Claim for the caller, or hand over to a colleague of the same desk; the same again changes nothing."""
        serializer = ClaimIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        who, now = actor(request), timezone.now()
        colleague = serializer.validated_data.get("colleague")
        if colleague is None:
            made = claims.claim(request_uid=uid, actor=who, now=now)
        else:
            made = claims.reassign(request_uid=uid, colleague_uid=colleague, actor=who, now=now)
        return Response(ClaimOut(made).data)

    @extend_schema(responses={204: None}, operation_id="inbox_release")
    def delete(self, request: Request, uid: UUID) -> Response:
        """Release the claim."""
        claims.release(request_uid=uid, actor=actor(request), now=timezone.now())
        return Response(status=204)


class BulkRowIn(StrictSerializer):
    """A request in the revision it was seen in."""

    uid = serializers.UUIDField()
    revision = serializers.IntegerField(min_value=1, max_value=2**31 - 1)


class BulkDecisionIn(StrictSerializer):
    """The requests and one opinion."""

    rows = serializers.ListField(child=BulkRowIn(), allow_empty=False, max_length=bulk_decisions.AT_MOST)
    reason = serializers.CharField(max_length=500, allow_blank=True, default="")


class BulkLineOut(serializers.Serializer[Any]):
    """What became of one request."""

    uid = serializers.UUIDField(source="access_request.uid")
    outcome = serializers.ChoiceField(choices=BulkOutcome.choices)
    code = serializers.CharField()
    message = serializers.CharField()


class BulkOut(serializers.Serializer[Any]):
    """What became of each request."""

    uid = serializers.UUIDField()
    lines = serializers.SerializerMethodField()

    @extend_schema_field(BulkLineOut(many=True))
    def get_lines(self, bulk: BulkDecision) -> list[dict[str, Any]]:
        """Return the lines in their order."""
        rows: QuerySet[BulkLine] = bulk.lines.select_related("access_request").order_by("id")
        return [dict(BulkLineOut(row).data) for row in rows]


class BulkDecisions(APIView):
    """Pass on several requests of one desk; the key makes a repeat answer with what the first one did."""

    permission_classes = (ForBusiness,)

    @extend_schema(parameters=[KEY], request=BulkDecisionIn, responses=BulkOut, operation_id="inbox_bulk")
    def post(self, request: Request) -> Response:
        """Decide each request in its own transaction; refusals are given one at a time elsewhere."""
        serializer = BulkDecisionIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given, who, now = serializer.validated_data, actor(request), timezone.now()
        key = request.headers.get(HEADER, "")
        if not FORM.fullmatch(key):
            text = _("请求头 Idempotency-Key 必填，1 至 64 个可见字符。")
            raise Invalid("request.idempotency_key", text, {HEADER: [text]})
        chosen = [(row["uid"], row["revision"]) for row in given["rows"]]
        made = bulk_decisions.open_bulk(chosen=chosen, reason=given["reason"], token=key, actor=who, now=now)
        return Response(BulkOut(bulk_decisions.work_off(bulk=made, actor=who, now=now)).data)


class DelegationIn(StrictSerializer):
    """Who stands in, in which roles, from when until when."""

    delegate = serializers.UUIDField()
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=[role.value for role in DELEGABLE]), allow_empty=False, max_length=3
    )
    valid_from = MomentField()
    valid_to = MomentField()


class DelegationOut(serializers.Serializer[Any]):
    """A delegation."""

    uid = serializers.UUIDField()
    giver = serializers.CharField(source="giver.display_name")
    delegate = serializers.CharField(source="delegate.display_name")
    role = serializers.CharField()
    valid_from = serializers.DateTimeField()
    valid_to = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class DelegationList(generics.ListAPIView[Delegation]):
    """The delegations one may see; a new one by POST."""

    permission_classes = (ForBusinessAndAudit,)
    serializer_class = DelegationOut
    pagination_class = KeysetPagination
    ordering = ("-id",)

    def get_queryset(self) -> QuerySet[Delegation]:
        """Return what the actor may see."""
        return delegation.delegations_visible_to(actor(self.request)).select_related("giver", "delegate")

    @extend_schema(request=DelegationIn, responses={201: DelegationOut(many=True)}, operation_id="delegations_create")
    def post(self, request: Request) -> Response:
        """Leave own roles to a colleague (once a key)."""
        serializer = DelegationIn(data=request.data)
        serializer.is_valid(raise_exception=True)
        given, who = serializer.validated_data, actor(request)

        def make() -> str:
            made = delegation.give(
                actor=who,
                delegate_uid=given["delegate"],
                roles=frozenset(given["roles"]),
                valid_from=given["valid_from"],
                valid_to=given["valid_to"],
                now=timezone.now(),
            )
            return str(made[0].uid)

        uid, is_new = create_once(request, given, make)
        first = self.get_queryset().get(uid=uid)
        rows = self.get_queryset().filter(giver=first.giver, created_at=first.created_at).order_by("id")
        return Response(DelegationOut(rows, many=True).data, status=201 if is_new else 200)


class DelegationDetail(APIView):
    """End a delegation."""

    permission_classes = (ForBusiness,)

    @extend_schema(responses={204: None}, operation_id="delegations_revoke")
    def delete(self, request: Request, uid: UUID) -> Response:
        """End it at once."""
        delegation.revoke(actor=actor(request), uid=uid, now=timezone.now())
        return Response(status=204)


urlpatterns = [
    path("inbox", Inbox.as_view(), name="inbox-list"),
    path("inbox/bulk-decisions", BulkDecisions.as_view(), name="inbox-bulk"),
    path("inbox/<uuid:uid>/claim", RequestClaim.as_view(), name="inbox-claim"),
    path("delegations", DelegationList.as_view(), name="delegation-list"),
    path("delegations/<uuid:uid>", DelegationDetail.as_view(), name="delegation-detail"),
]
