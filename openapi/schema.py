"""The OpenAPI 3.1 description: every operation also tells of the one error body; a process makes it once a language."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from django.utils.translation import get_language
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema

ERROR_STATUSES = {
    "400": "请求无效",
    "401": "未登录或签名无效",
    "403": "没有权限",
    "404": "不存在或无权查看",
    "409": "状态冲突",
    "422": "内容有误",
    "503": "暂时不可用",
}
ERROR_SCHEMA = {
    "type": "object",
    "required": ["code", "message", "details", "request_id"],
    "additionalProperties": False,
    "properties": {
        "code": {"type": "string", "examples": ["request.invalid"]},
        "message": {"type": "string", "examples": ["提交的内容有误，详见各字段说明。"]},
        "details": {"type": "object", "additionalProperties": True},
        "request_id": {"type": "string", "format": "uuid"},
    },
}


class PlatformSchema(AutoSchema):
    """Adds the error answers and names the tag after the first path part below the version."""

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.split("/") if part]
        return [parts[2] if len(parts) > 2 else "platform"]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        answers: dict[str, Any] = super()._get_response_bodies(direction)
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        for status, description in ERROR_STATUSES.items():
            answers.setdefault(status, {"description": description, "content": content})
        return answers


class RememberedGenerator(SchemaGenerator):
    """Says what the code offers, alike to everybody, so that it is made once: it takes most of a second."""

    def get_schema(self, request: Any = None, public: bool = False) -> Any:
        """Return the description in the language of the moment."""
        return _made(get_language()) if public else super().get_schema(request, public)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=4)
def _made(_language: str | None) -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session cookie of the portal."""

    target_class = "openapi.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "门户会话；写操作另需 X-CSRFToken"}


def add_error(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: put the error body among the components."""
    result.setdefault("components", {}).setdefault("schemas", {})["Error"] = ERROR_SCHEMA
    return result
