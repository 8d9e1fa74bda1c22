"""Statistics of calls (调用统计) at the door for systems: the figures of op-monitoring, for the same filters and the same eyes."""

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

from catalog.models import SharingMode
from exchange.statistics import periods
from exchange.statistics.figures import CallScope, Figures, Tally, figures
from exchange.statistics.names import names_of
from exchange.statistics.sides import Side
from openapi.authentication import actor
from openapi.permissions import ForBusinessAndAudit
from openapi.serializers import StrictQuery

USUAL = "7"


class StatisticsIn(StrictQuery):
    """The query parameters; without days the period, without both the last seven days."""

    period = serializers.ChoiceField(
        choices=periods.NAMES, required=False, help_text="hour：最近一小时，day：最近 24 小时，数字：最近若干天"
    )
    day_from = serializers.DateField(required=False)
    day_to = serializers.DateField(required=False)
    department = serializers.UUIDField(required=False, help_text="作为提供方或使用方")
    resource = serializers.UUIDField(required=False)
    system = serializers.UUIDField(required=False)
    grant = serializers.UUIDField(required=False)
    mode = serializers.ChoiceField(choices=SharingMode.choices, required=False)
    outcome = serializers.CharField(max_length=40, required=False, help_text="answered、refused 或具体代码")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Keep the span in order and bounded."""
        first, last = attrs.get("day_from"), attrs.get("day_to")
        if bool(first) != bool(last):
            raise serializers.ValidationError({"day_to": [_("开始日期和结束日期须同时填写；都不填时按时段统计。")]})
        if first and last and not 0 <= (last - first).days <= periods.LONGEST_SPAN_DAYS:
            text = _("起始日期不得晚于截止日期，且相距不超过 %(days)s 天。") % {"days": periods.LONGEST_SPAN_DAYS}
            raise serializers.ValidationError({"day_from": [text]})
        return attrs


class LatencyOut(serializers.Serializer[Any]):
    """How long answered calls took, in milliseconds; p95 is interpolated in a bucket."""

    lowest = serializers.FloatField()
    mean = serializers.FloatField()
    p95 = serializers.FloatField()
    highest = serializers.FloatField()


class TallyOut(serializers.Serializer[Any]):
    """Calls and volumes of something."""

    answered = serializers.IntegerField()
    refused = serializers.IntegerField()
    rows = serializers.IntegerField()
    request_bytes = serializers.IntegerField()
    answer_bytes = serializers.IntegerField()
    latency = LatencyOut(allow_null=True)


class ServiceOut(TallyOut):
    """The calls of a resource; empty names are calls whose grant was not recognized."""

    resource = serializers.CharField()
    resource_code = serializers.CharField()
    provider = serializers.CharField()


class ConsumerOut(TallyOut):
    """The calls of a system."""

    department = serializers.CharField()
    system = serializers.CharField()


class IntervalOut(serializers.Serializer[Any]):
    """The calls of one minute, hour or day."""

    starts_at = serializers.DateTimeField()
    answered = serializers.IntegerField()
    refused = serializers.IntegerField()


class StatisticsOut(serializers.Serializer[Any]):
    """What the calls add up to at this moment. `outcomes` counts the closing records of bulk calls too, the totals do not."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    total = TallyOut()
    outcomes = serializers.DictField(child=serializers.IntegerField())
    sides = serializers.DictField(child=serializers.IntegerField(), help_text="、".join(Side))
    trend = IntervalOut(many=True)
    services = ServiceOut(many=True)
    consumers = ConsumerOut(many=True)


class CallStatistics(APIView):
    """The figures of the calls one may see."""

    permission_classes = (ForBusinessAndAudit,)

    @extend_schema(parameters=[StatisticsIn], responses=StatisticsOut, operation_id="call_statistics")
    def get(self, request: Request) -> Response:
        """Return the figures of a period."""
        given = StatisticsIn.of(request)
        first, last, name = given.pop("day_from", None), given.pop("day_to", None), given.pop("period", USUAL)
        period = periods.of_days(first, last) if first and last else periods.named(name, timezone.now())
        found = figures(actor=actor(request), scope=CallScope(period, **given))
        return Response(StatisticsOut(_told(found)).data)


def _told(found: Figures) -> dict[str, Any]:
    names, period = names_of(found), found.scope.period
    return {
        "since": period.since,
        "until": period.until,
        "total": found.total,
        "outcomes": found.outcomes,
        "sides": {side.value: count for side, count in found.sides().items()},
        "trend": [
            {"starts_at": at, "answered": answered, "refused": refused}
            for at in period.steps()
            for answered, refused in [found.trend.get(at, (0, 0))]
        ],
        "services": [
            _line(tally)
            | {
                "resource": names.resources.get(resource, ""),
                "resource_code": names.resource_codes.get(resource, ""),
                "provider": names.departments.get(provider, ""),
            }
            for (resource, provider), tally in found.services.items()
        ],
        "consumers": [
            _line(tally) | {"department": names.departments.get(department, ""), "system": names.systems.get(system, "")}
            for (department, system), tally in found.consumers.items()
        ],
    }


def _line(tally: Tally) -> dict[str, Any]:
    names = ("answered", "refused", "rows", "request_bytes", "answer_bytes", "latency")
    return {name: getattr(tally, name) for name in names}


urlpatterns = [path("statistics/calls", CallStatistics.as_view(), name="call-statistics")]
