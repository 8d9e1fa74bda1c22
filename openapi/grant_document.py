"""The OpenAPI 3.1 description of what one system was granted (授权接口说明): exactly these operations, items and conditions.

For client generators: every object is closed, every operation has a name, the signature is described as security schemes, so
that no generated function asks for its headers. Pure; the parts of bodies and answers are in `grant_schemas`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _

from exchange.calls.refusals import REFUSALS
from exchange.descriptions import Description
from exchange.discovery import ANY_GRANT, ENDPOINTS, path_of
from openapi.grant_layers import query_of
from openapi.grant_schemas import ANSWERED, ERROR, body_of, items_told, schemas_of
from openapi.schema import ERROR_STATUSES

SIGNATURE: Final = {
    "X-Gov-Key": "应用标识",
    "X-Gov-Timestamp": "签名时间，1970 年以来的毫秒数",
    "X-Gov-Nonce": "随机数，每次调用不同，8 至 64 位字母、数字、下划线或连字符",
    "X-Gov-Digest": "请求体 SHA-256 摘要的十六进制；没有请求体时为空内容的摘要",
    "X-Gov-Signature": "对“方法、路径、签名时间、随机数、摘要”五行（换行符连接，末尾无换行）的签名，Base64",
}
HEADERS: Final[dict[str, Any]] = {
    "X-Gov-Call-Id": {"description": "调用记录编号", "schema": {"type": "string", "format": "uuid"}},
    "X-Gov-Answer-Digest": {"description": "应答体 SHA-256 摘要的十六进制", "schema": {"type": "string"}},
    "X-Gov-Answer-Signature": {"description": "对应答的签名，Base64", "schema": {"type": "string"}},
    "RateLimit-Limit": {"description": "配额", "schema": {"type": "integer"}},
    "RateLimit-Remaining": {"description": "剩余配额", "schema": {"type": "integer"}},
    "RateLimit-Reset": {"description": "配额恢复前的秒数", "schema": {"type": "integer"}},
}
# What a mode or a source never answers is left out of its list of errors.
ONLY_OF: Final[Mapping[str, Callable[[Description], bool]]] = {
    "job.": lambda told: told.mode == "BULK",
    "feed.": lambda told: told.mode == "SUBSCRIBE",
    "features.": lambda told: told.mode == "FEATURES",
    "provider.": lambda told: told.is_remote,
    "upstream.": lambda told: told.is_remote,
    "quota.subject": lambda told: told.mode == "VERIFY",
}
# method and path behind the grant -> name, title, status of the answer
OPERATIONS: Final[dict[tuple[str, str], tuple[str, str, str]]] = {
    ("POST", "verify"): ("verify", "比对验证", "200"),
    ("POST", "query"): ("query", "检索查询", "200"),
    ("POST", "bulk"): ("bulk", "批量复制（流式 CSV）", "200"),
    ("POST", "jobs"): ("openJob", "发起批量作业", "202"),
    ("GET", "jobs/{job}"): ("showJob", "查看批量作业与清单", "200"),
    ("DELETE", "jobs/{job}"): ("cancelJob", "取消批量作业", "200"),
    ("GET", "jobs/{job}/parts/{number}"): ("fetchPart", "领取批量作业的一部分", "200"),
    ("POST", "subscribe"): ("subscribe", "变更订阅", "200"),
    ("GET", "items"): ("listFeatures", "检索要素（OGC API Features）", "200"),
    ("GET", "items/{feature}"): ("showFeature", "查看一个要素", "200"),
    ("GET", "tiles/WebMercatorQuad/{zoom}/{row}/{column}"): ("fetchTile", "取得矢量瓦片（MVT）", "200"),
}
PLACES: Final = {
    "grant": {"type": "string", "format": "uuid"},
    "job": {"type": "string", "format": "uuid"},
    "number": {"type": "integer", "minimum": 1, "maximum": 999_999},
    "feature": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "zoom": {"type": "integer", "minimum": 6, "maximum": 18},
    "row": {"type": "integer", "minimum": 0},
    "column": {"type": "integer", "minimum": 0},
}


def document(told: Sequence[Description], *, title: str, version: str, site: str) -> dict[str, Any]:
    """Return the description of some grants; with several of them names carry the number of theirs."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {"Error": ERROR}
    for number, one in enumerate(told, start=1):
        mark = "" if len(told) == 1 else str(number)
        schemas |= {f"{name}{mark}": schema for name, schema in schemas_of(one, mark).items()}
        for method, place in ENDPOINTS[one.mode]:
            operation = _operation(one, method, place, mark)
            paths.setdefault(path_of(one.mode, one.grant, place), {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": "\n\n".join(_about(one) for one in told)},
        "servers": [{"url": site}],
        "security": [{name: [] for name in SIGNATURE}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                name: {"type": "apiKey", "in": "header", "name": name, "description": words} for name, words in SIGNATURE.items()
            },
            "headers": HEADERS,
            "schemas": schemas,
        },
    }


def _operation(told: Description, method: str, place: str, mark: str) -> dict[str, Any]:
    name, words, status = OPERATIONS[method, place]
    operation: dict[str, Any] = {
        "operationId": f"{name}{mark}",
        "summary": words,
        "description": _about(told),
        "tags": [told.mode.lower()],
    }
    named = [part for part in PLACES if "{" + part + "}" in f"{told.grant}/{place}"]
    parameters = [{"name": part, "in": "path", "required": True, "schema": PLACES[part]} for part in named]
    if name == "fetchPart":
        parameters.append({"name": "Range", "in": "header", "required": False, "schema": {"type": "string"}})
    parameters += query_of(name, told)
    if parameters:
        operation["parameters"] = parameters
    body = body_of(name, mark)
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    operation["responses"] = {status: _answer(name, mark)} | _refusals(told)
    return operation


def _answer(name: str, mark: str) -> dict[str, Any]:
    media, schema = ANSWERED[name]
    if "$ref" in schema:
        schema = {"$ref": schema["$ref"] + mark}
    return {
        "description": "应答",
        "headers": {header: {"$ref": f"#/components/headers/{header}"} for header in HEADERS},
        "content": {media: {"schema": schema}},
    }


def _refusals(told: Description) -> dict[str, Any]:
    codes: dict[int, list[str]] = {}
    for code, verdict in REFUSALS.items():
        if all(applies(told) for start, applies in ONLY_OF.items() if code.startswith(start)):
            codes.setdefault(verdict.status, []).append(f"- `{code}` {verdict.message}")
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {
        str(status): {
            "description": "\n".join([ERROR_STATUSES.get(str(status), ""), *lines]).strip(),
            "content": content,
        }
        for status, lines in sorted(codes.items())
    }


def _about(told: Description) -> str:
    """Return in words what this is, for whom it is and under which conditions."""
    lines = [f"{told.title}（{told.code}，{told.provider}）"]
    if told.grant == ANY_GRANT:
        lines.append(_("尚未授权：{grant} 处填写取得的授权编号，以授权的信息项为准。"))
    else:
        lines.append(_("授权编号：%(grant)s，第 %(version)s 版") % {"grant": told.grant, "version": told.version})
        lines.append(_("使用目的：%(purpose)s") % {"purpose": told.purpose})
    if told.valid_from and told.valid_to:
        lines.append(f"{told.valid_from.isoformat()} — {told.valid_to.isoformat()}")
    if told.quota_per_day:
        quota = {"day": told.quota_per_day, "second": told.quota_per_second}
        lines.append(_("每日 %(day)s 次，每秒 %(second)s 次") % quota)
    if told.addresses:
        lines.append(_("来源地址：%(addresses)s") % {"addresses": "、".join(told.addresses)})
    return "\n\n".join(lines) + "\n\n" + items_told(told)
