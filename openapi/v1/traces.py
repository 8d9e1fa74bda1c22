"""Tracing (溯源) at the door for systems: the chain of a call, the calls that hang on a grant, request, run or subject.

And who looked at a person's data, for the office that answers citizens.
"""

from __future__ import annotations

from typing import Any

from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange import accesses, tracing
from exchange.accesses import Check, Question, Reason
from exchange.tracing import Chain, Start
from openapi.authentication import actor
from openapi.pagination import PageQuery
from openapi.permissions import ForBusiness, ForBusinessAndAudit
from openapi.serializers import StrictSerializer
from openapi.v1.call_records import CallRecordOut

STARTS = ("call_id", "grant", "request", "run", "subject")


class TraceQuery(PageQuery):
    """Exactly one start."""

    call_id = serializers.UUIDField(required=False)
    grant = serializers.UUIDField(required=False)
    request = serializers.UUIDField(required=False, help_text="共享申请")
    run = serializers.UUIDField(required=False, help_text="归集批次")
    subject = serializers.RegexField("^[0-9a-f]{32}$", required=False, help_text="查询对象代号（十六进制），不是证件号码")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Insist on one start."""
        if sum(name in attrs for name in STARTS) != 1:
            raise serializers.ValidationError({"call_id": [_("请且只给出一个溯源起点。")]})
        return attrs


class ProofOut(serializers.Serializer[Any]):
    """The seal of the record, verified at this moment."""

    seal = serializers.IntegerField(source="number")
    position = serializers.IntegerField()
    record_count = serializers.IntegerField()
    sealed_at = serializers.DateTimeField()
    key = serializers.CharField()
    is_intact = serializers.BooleanField()
    fault = serializers.CharField()
    archive = serializers.CharField()
    time_stamped_at = serializers.DateTimeField(source="stamped_at", allow_null=True)


class GrantStepOut(serializers.Serializer[Any]):
    """The grant as it was at the call."""

    version = serializers.IntegerField(source="number")
    at = serializers.DateTimeField()
    event = serializers.CharField()
    terms = serializers.DictField()


class TracedStepOut(serializers.Serializer[Any]):
    """A step of the request: who did what when."""

    at = serializers.DateTimeField()
    command = serializers.CharField()
    to_state = serializers.CharField()
    actor = serializers.CharField(source="actor_name")
    department = serializers.CharField(source="actor_department")
    reason = serializers.CharField()


class RequestStepOut(serializers.Serializer[Any]):
    """The request behind the grant."""

    uid = serializers.UUIDField()
    number = serializers.CharField()
    requester = serializers.CharField()
    state = serializers.CharField()
    steps = TracedStepOut(many=True)


class CatalogueStepOut(serializers.Serializer[Any]):
    """The entry as it was published when it was asked for, and what it is mounted on."""

    version = serializers.IntegerField()
    published_at = serializers.DateTimeField(allow_null=True)
    dataset = serializers.CharField()


class SourceRunOut(serializers.Serializer[Any]):
    """A run that last brought rows of the call's subjects before it."""

    run = serializers.UUIDField(source="run.uid")
    plan = serializers.CharField(source="run.plan.title")
    department = serializers.CharField(source="run.plan.department.name")
    finished_at = serializers.DateTimeField(source="run.finished_at", allow_null=True)
    subject_count = serializers.IntegerField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)


class TraceOut(serializers.Serializer[Any]):
    """The chain of a call (`call` and what follows), or the calls that hang on another start (`items`, `next`)."""

    call = CallRecordOut(allow_null=True)
    proof = ProofOut(allow_null=True)
    grant = GrantStepOut(allow_null=True)
    request = RequestStepOut(allow_null=True)
    catalogue = CatalogueStepOut(allow_null=True)
    runs = SourceRunOut(many=True, allow_null=True, help_text="null：无权查看来源批次")
    items = CallRecordOut(many=True)
    next = serializers.CharField(allow_null=True)


class Traces(APIView):
    """Tracing from any start. That an auditor traces is recorded."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(parameters=[TraceQuery], responses=TraceOut, operation_id="traces_read")
    def get(self, request: Request) -> Response:
        """Return the chain of a call, or a page of calls, newest first."""
        given = TraceQuery.of(request)
        who, now = actor(request), timezone.now()
        if "call_id" in given:
            return Response(TraceOut(_chain(tracing.trace(call_id=given["call_id"], actor=who, now=now))).data)
        subject = bytes.fromhex(given["subject"]) if "subject" in given else None
        start = Start(given.get("grant"), given.get("request"), given.get("run"), subject)
        found = tracing.calls_from(start=start, actor=who, now=now, cursor=given["after"], size=given["limit"])
        empty = dict.fromkeys(("call", "proof", "grant", "request", "catalogue", "runs"))
        return Response(TraceOut(empty | {"items": found.lines, "next": found.next or None}).data)


def _chain(chain: Chain) -> dict[str, Any]:
    call = chain.call
    access_request = call.grant.access_request if call.grant else None
    return {
        "call": call.line,
        "proof": chain.proof,
        "grant": chain.granted,
        "request": access_request
        and {
            "uid": access_request.uid,
            "number": access_request.number,
            "requester": access_request.requester.name,
            "state": access_request.state,
            "steps": call.steps,
        },
        "catalogue": access_request
        and {
            "version": access_request.resource_version,
            "published_at": call.version and call.version.published_at,
            "dataset": chain.dataset,
        },
        "runs": chain.runs if chain.sees_runs else None,
        "items": [],
        "next": None,
    }


class AccessQuestionIn(StrictSerializer):
    """A first question, or `page` out of an answer to go on."""

    citizen_id = serializers.CharField(max_length=18, required=False)
    reason = serializers.ChoiceField(choices=Reason.choices, required=False)
    applicant_check = serializers.ChoiceField(choices=Check.choices, required=False)
    number = serializers.CharField(max_length=40, required=False, help_text="受理编号")
    page = serializers.CharField(max_length=600, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Insist on a whole question or on a page alone."""
        first = {"citizen_id", "reason", "applicant_check", "number"}
        if set(attrs) != {"page"} and (missing := sorted(first - set(attrs))):
            raise serializers.ValidationError({name: [_("此项必填。")] for name in missing})
        if "page" in attrs and set(attrs) != {"page"}:
            raise serializers.ValidationError({"page": [_("翻页时不要再填写其他内容。")]})
        return attrs


class AccessOut(serializers.Serializer[Any]):
    """One use of the person's data."""

    at = serializers.DateTimeField()
    department = serializers.CharField()
    purpose = serializers.CharField()
    matter = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField())
    mode = serializers.CharField()
    is_found = serializers.BooleanField()


class CopyOut(serializers.Serializer[Any]):
    """Copies of a whole table on a day that reach the person's division."""

    on = serializers.DateField()
    department = serializers.CharField()
    purpose = serializers.CharField()
    items = serializers.ListField(child=serializers.CharField())
    mode = serializers.CharField()
    times = serializers.IntegerField()


class OpeningOut(serializers.Serializer[Any]):
    """Somebody looked into the person's dossier."""

    at = serializers.DateTimeField()
    department = serializers.CharField()
    reason = serializers.CharField()
    matter = serializers.CharField()


class AccessesOut(serializers.Serializer[Any]):
    """Who looked at a person's data since a day."""

    since = serializers.DateField()
    until = serializers.DateTimeField()
    accesses = AccessOut(many=True)
    copies = CopyOut(many=True)
    held_by = serializers.ListField(child=serializers.CharField())
    openings = OpeningOut(many=True)
    next = serializers.CharField()


class SubjectAccesses(APIView):
    """Asked by POST, so that the identifier stands in no address and no log. Creates nothing but its entry in the audit trail."""

    permission_classes = (ForBusiness,)

    @extend_schema(request=AccessQuestionIn, responses=AccessesOut, operation_id="subject_accesses_ask")
    def post(self, request: Request) -> Response:
        """Return a page of accesses, newest first."""
        body = AccessQuestionIn(data=request.data)
        body.is_valid(raise_exception=True)
        given, who, now = body.validated_data, actor(request), timezone.now()
        if "page" in given:
            return Response(AccessesOut(accesses.go_on(token=given["page"], actor=who, now=now)).data)
        question = Question(given["citizen_id"], given["reason"], given["applicant_check"], given["number"])
        return Response(AccessesOut(accesses.ask(question=question, actor=who, now=now)).data)


urlpatterns = [
    path("traces", Traces.as_view(), name="trace-read"),
    path("subject-accesses", SubjectAccesses.as_view(), name="subject-accesses"),
]
