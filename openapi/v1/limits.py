"""Limits of use (限制条件) in bodies: rules of the row filter, control parameters, matters, addresses, calls a second."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rest_framework import serializers

from exchange.granting.limits import MAX_QUOTA_PER_SECOND, Limits
from openapi.serializers import StrictSerializer

LIMITS = ("row_filter", "control_parameters", "matters", "ip_list", "quota_per_second")


class RuleOut(serializers.Serializer[Any]):
    """A rule of the row filter; only a list has an item and its values. All rules hold together."""

    kind = serializers.ChoiceField(choices=["own_clients", "list"])
    item = serializers.CharField(required=False)
    values_ = serializers.ListField(child=serializers.CharField(), required=False)

    def get_fields(self) -> dict[str, Any]:
        """Name the values as they are stored."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the rule as it is stored: plain data already."""
        return dict(instance)


class LimitsOut(serializers.Serializer[Any]):
    """The limits of a request or a grant; empty is no such limit."""

    row_filter = RuleOut(many=True)
    control_parameters = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    matters = serializers.ListField(child=serializers.CharField())
    ip_list = serializers.ListField(child=serializers.CharField())
    quota_per_second = serializers.IntegerField()


class RuleIn(StrictSerializer):
    """A rule of the row filter."""

    kind = serializers.ChoiceField(choices=["own_clients", "list"])
    item = serializers.CharField(max_length=40, required=False)
    values_ = serializers.ListField(child=serializers.CharField(max_length=100), max_length=200, required=False)

    def get_fields(self) -> dict[str, Any]:
        """Name the values, which the class itself may not."""
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class LimitsIn(StrictSerializer):
    """The limits that are named; the others stay as they are, or are none."""

    row_filter = RuleIn(many=True, required=False)
    control_parameters = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=100), max_length=200), required=False
    )
    matters = serializers.ListField(child=serializers.CharField(max_length=40), max_length=50, required=False)
    ip_list = serializers.ListField(child=serializers.CharField(max_length=43), max_length=50, required=False)
    quota_per_second = serializers.IntegerField(min_value=1, max_value=MAX_QUOTA_PER_SECOND, required=False)


def limits_of(given: dict[str, Any], now: Limits) -> Limits:
    """Return the limits of now with those of a parsed body in their place."""
    named = {name: given[name] for name in LIMITS if name in given}
    if "row_filter" in named:
        named["row_filter"] = [dict(rule) for rule in named["row_filter"]]
    return replace(now, **named)
