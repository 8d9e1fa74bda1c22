"""One error body for everything below /openapi/: `{code, message, details, request_id}`.

Codes are stable English, messages Chinese. Of a 422 `details` maps each wrong field to a list of messages; of other refusals it
holds what the rule tells of the object.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings

from core.errors import DomainError, Invalid
from core.quiet_log import comes_from_database, told
from exchange.calls.refusals import Refusal

logger = logging.getLogger(__name__)


def request_id_of(request: Any) -> str:
    """Return the id of this request, as answered in `X-Request-Id`."""
    return str(getattr(request, "request_id", ""))


def body(code: str, message: Any, details: Mapping[str, Any], request: Any) -> dict[str, Any]:
    """Return the error body."""
    return {"code": code, "message": str(message), "details": dict(details), "request_id": request_id_of(request)}


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """Turn any exception of a REST view into the error body (REST framework's exception handler)."""
    status, code, message, details = describe(error)
    if status >= 500 and not isinstance(error, DomainError | Refusal):
        if comes_from_database(error):  # its text quotes rows
            logger.error("unexpected error at the door for systems: %s", told(error))
        else:
            logger.error("unexpected error at the door for systems", exc_info=error)
    response = Response(body(code, message, details, context.get("request")), status=status)
    for name in ("auth_header", "wait"):
        value = getattr(error, name, None)
        if value is not None:
            response["WWW-Authenticate" if name == "auth_header" else "Retry-After"] = str(value)
    return response


def describe(error: Exception) -> tuple[int, str, Any, Mapping[str, Any]]:
    """Return status, code, message and details of an exception."""
    if isinstance(error, Invalid):
        return error.status, error.code, error.message, _messages(error.details)
    if isinstance(error, DomainError):
        return error.status, error.code, error.message, error.details
    if isinstance(error, Refusal):  # of a system that signs what it reads
        return error.verdict.status, error.code, error.verdict.message, error.details
    if isinstance(error, exceptions.ValidationError):
        details = _flat(error.detail)
        return 422, "request.invalid", _("提交的内容有误，详见各字段说明。"), details
    plain: tuple[tuple[type[Exception] | tuple[type[Exception], ...], int, str, str], ...] = (
        (exceptions.ParseError, 400, "request.malformed", _("请求体不是有效的 JSON。")),
        (exceptions.NotAuthenticated, 401, "account.sign_in_required", _("请先登录，或使用有效的签名。")),
        (exceptions.AuthenticationFailed, 401, "account.sign_in_failed", _("身份验证未通过。")),
        ((exceptions.PermissionDenied, PermissionDenied), 403, "request.forbidden", _("没有权限执行此操作。")),
        ((exceptions.NotFound, Http404), 404, "request.not_found", _("没有这个资源，或您无权查看。")),
        (exceptions.MethodNotAllowed, 405, "request.method_not_allowed", _("不支持此请求方法。")),
        (exceptions.NotAcceptable, 406, "request.not_acceptable", _("只能返回 application/json。")),
        (RequestDataTooBig, 413, "request.too_large", _("请求体过大。")),
        (exceptions.UnsupportedMediaType, 415, "request.unsupported_media_type", _("请求体必须是 application/json。")),
        (exceptions.Throttled, 429, "request.throttled", _("请求过于频繁，请稍后再试。")),
        (SuspiciousOperation, 400, "request.malformed", _("请求无效。")),
        (OperationalError, 503, "database.unavailable", _("数据库暂时不可用，请稍后再试。")),
    )
    for kinds, status, code, message in plain:
        if isinstance(error, kinds):
            return status, code, message, {}
    return 500, "platform.error", _("平台内部错误，请凭请求编号联系管理员。"), {}


def _messages(details: Mapping[str, Any]) -> dict[str, Any]:
    """Return field -> messages, where a rule named one message only; figures and the like stay what they are."""
    return {name: [str(given)] if isinstance(given, str | Promise) else given for name, given in details.items()}


def _flat(detail: Any, path: str = "") -> dict[str, list[str]]:
    """Return field path -> messages of nested validation errors."""
    if isinstance(detail, Mapping):
        found: dict[str, list[str]] = {}
        for name, inner in detail.items():
            whole = name == api_settings.NON_FIELD_ERRORS_KEY
            found |= _flat(inner, path if whole else f"{path}.{name}" if path else str(name))
        return found
    if isinstance(detail, list) and any(isinstance(inner, Mapping | list) for inner in detail):
        found = {}
        for place, inner in enumerate(detail):
            if inner:
                found |= _flat(inner, f"{path}[{place}]")
        return found
    return {path or "body": [str(text) for text in (detail if isinstance(detail, list) else [detail])]}


@csrf_exempt
@login_not_required
def not_found(request: HttpRequest, path: str = "") -> JsonResponse:
    """Answer an address below /openapi/ that does not exist."""
    status, code, message, details = describe(Http404())
    return JsonResponse(body(code, message, details, request), status=status)
