"""Pages of lists at the door for systems: `{"items": [...], "next": "<cursor>" | null}`, nothing is counted."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Invalid
from core.keyset import page
from openapi.serializers import StrictQuery

LARGEST = 100


class PageQuery(StrictQuery):
    """What every list takes; lists with filters add theirs. Any other parameter is refused."""

    after = serializers.CharField(required=False, allow_blank=True, help_text="上一页返回的 next")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST, help_text="每页条数，默认 20")

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """Return the parameters, parsed; page and its size are always there."""
        size = limit_of(request)
        return {"after": ""} | super().of(request) | {"limit": size}


class KeysetPagination(BasePagination):
    """Keyset pages of a view; the view's `ordering` (default `("-id",)`) must end in a unique field.

    Parameters `after` (the cursor of the page before) and `limit` (1 to 100, default 20).
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        asked = PageQuery.of(request)
        order = tuple(getattr(view, "ordering", None) or ("-id",))
        found = page(queryset, order=order, cursor=asked["after"], size=asked["limit"])
        self.next = found.next
        return found.items

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "next": self.next or None})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["items", "next"],
            "properties": {
                "items": schema,
                "next": {"type": ["string", "null"], "description": "下一页的游标，作为参数 after 传回;null 表示没有更多"},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {"name": "after", "in": "query", "required": False, "schema": {"type": "string"}, "description": "上一页返回的 next"},
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": 20},
            },
        ]


def limit_of(request: Request) -> int:
    """Return the page size asked for."""
    given = request.query_params.get("limit", "20")
    if not (given.isascii() and given.isdigit() and len(given) < 5 and 1 <= int(given) <= LARGEST):
        text = _("须为 1 至 %(largest)s 的整数。") % {"largest": LARGEST}
        raise Invalid("page.limit_invalid", _("每页条数无效。"), {"limit": [text]})
    return int(given)
