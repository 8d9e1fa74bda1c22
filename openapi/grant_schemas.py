"""Bodies and answers of a grant's operations (授权接口的请求与应答): closed objects with exactly the granted items. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from exchange.calls.batch import AT_MOST
from exchange.calls.shape import ROWS_AT_MOST as ROWS_OF_ONE
from exchange.descriptions import KEY_PATTERNS, Description, Item
from exchange.feeds.calling import ROWS_AT_MOST
from exchange.models import FileFormat, JobState
from openapi.grant_layers import features_of
from openapi.schema import ERROR_SCHEMA
from openapi.v1.call_batches import WORDS

CODE: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,40}$"}
TEXT: Final = {"type": "string"}
COUNT: Final = {"type": "integer", "minimum": 0}
UUID: Final = {"type": "string", "format": "uuid"}
MOMENT: Final = {"type": "string", "format": "date-time"}
LATER: Final = {"type": ["string", "null"], "format": "date-time"}
NULL: Final = {"type": "null"}
LIMIT_OF_ONE: Final = {"type": "integer", "minimum": 1, "maximum": ROWS_OF_ONE}
FORMATS: Final = [str(value) for value in FileFormat.values]
ERROR: Final = ERROR_SCHEMA
TYPES: Final = {"C": "字符", "N": "数值", "D": "日期", "T": "日期时间", "L": "逻辑"}

# operation -> media type and schema of what it answers
ANSWERED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "verify": ("application/json", {"$ref": "#/components/schemas/VerifyAnswer"}),
    "query": ("application/json", {"$ref": "#/components/schemas/QueryAnswer"}),
    "bulk": ("text/csv", TEXT),
    "openJob": ("application/json", {"$ref": "#/components/schemas/Job"}),
    "showJob": ("application/json", {"$ref": "#/components/schemas/Job"}),
    "cancelJob": ("application/json", {"$ref": "#/components/schemas/Job"}),
    "fetchPart": ("application/octet-stream", {"type": "string", "format": "binary"}),
    "subscribe": ("application/json", {"$ref": "#/components/schemas/Changes"}),
    "listFeatures": ("application/geo+json", {"$ref": "#/components/schemas/Features"}),
    "showFeature": ("application/geo+json", {"$ref": "#/components/schemas/Feature"}),
    "fetchTile": ("application/vnd.mapbox-vector-tile", {"type": "string", "format": "binary"}),
}
BODIES: Final = {
    "verify": "VerifyBody",
    "query": "QueryBody",
    "bulk": "BulkBody",
    "openJob": "JobBody",
    "subscribe": "SubscribeBody",
}

Schemas = dict[str, Any]


def closed(properties: Schemas, required: Sequence[str] = (), **more: Any) -> Schemas:
    """Return an object of these properties and no other."""
    made: Schemas = {"type": "object", "properties": properties, "additionalProperties": False} | more
    return made | ({"required": list(required)} if required else {})


def body_of(operation: str, mark: str) -> Schemas | None:
    """Return the body an operation takes, None when it takes none."""
    return _ref(BODIES[operation] + mark) if operation in BODIES else None


def items_told(told: Description) -> str:
    """Return the items as a list of lines."""
    return "\n".join(f"- `{item.name}` {_told(item)}" for item in told.items)


def schemas_of(told: Description, mark: str) -> Schemas:
    """Return what the operations of one grant need, by name without its mark."""
    makers = {"QUERY": _query, "VERIFY": _verify, "BULK": _bulk, "SUBSCRIBE": _subscribe, "FEATURES": features_of}
    return makers[told.mode](told, mark)


def _ref(name: str) -> Schemas:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Schemas, **more: Any) -> Schemas:
    return {"type": "array", "items": items} | more


def _told(item: Item) -> str:
    facts = [item.title, TYPES.get(item.data_type, item.data_type) + (f" {item.length}" if item.length else "")]
    facts += [item.standard] if item.standard else []
    return "，".join(facts + ([item.mask_title] if item.mask != "NONE" else []))


def _row(told: Description) -> Schemas:
    """Return one row: every value is text or null, days are YYYY-MM-DD unless a mask shortens them."""
    cells = {}
    for item in told.items:
        cell: Schemas = {"type": ["string", "null"], "description": _told(item)}
        if item.data_type == "D" and item.mask == "NONE" and not told.is_remote:
            cell["format"] = "date"
        cells[item.name] = cell
    return closed(cells)


def _key(told: Description) -> Schemas:
    pattern = KEY_PATTERNS.get(told.key_name)
    value: Schemas = {"type": "string", "minLength": 1, "maxLength": 64}
    if pattern is not None:
        value["description"] = "标准写法：" + pattern
    return closed({told.key_name: value}, [told.key_name])


def _fields(told: Description) -> Schemas:
    return _list({"type": "string", "enum": [item.name for item in told.items]}, minItems=1, uniqueItems=True)


def _said(told: Description) -> tuple[Schemas, list[str]]:
    """Return what every body may say of the business it serves, and what of it this grant demands."""
    matter = CODE | ({"enum": list(told.matters)} if told.matters else {})
    context = closed({"matter": matter, "officer": CODE, "case": CODE}, ["matter"] if told.matters else [])
    properties: Schemas = {"context": context}
    if told.parameters:
        allowed = {name: {"type": "string", "enum": list(values)} for name, values in told.parameters.items()}
        properties["parameters"] = closed(allowed, list(allowed))
    return properties, [name for name, is_asked in (("context", told.matters), ("parameters", told.parameters)) if is_asked]


def _body(told: Description, properties: Schemas, required: Sequence[str]) -> Schemas:
    said, demanded = _said(told)
    return closed(properties | said, [*required, *demanded])


def _data(told: Description, mark: str) -> Schemas:
    """Return what is told of one subject: its row or null, or of many rows the newest and whether there are more."""
    if told.is_list:
        return {"items": _list(_ref(f"Row{mark}"), maxItems=ROWS_OF_ONE), "more": {"type": "boolean"}}
    return {"data": _or_null(f"Row{mark}")}


def _query(told: Description, mark: str) -> Schemas:
    answer = {"call_id": UUID, "as_of": MOMENT}
    data = _data(told, mark)
    asked = {"fields": _fields(told)} | ({"limit": LIMIT_OF_ONE} if told.is_list else {})
    one = _body(told, {"key": _ref(f"Key{mark}")} | asked, ["key"])
    found: Schemas = {"type": "string", "enum": ["found", "not_found"]}
    made = {
        "Key": _key(told),
        "Row": _row(told),
        "QueryBody": one,
        "QueryAnswer": closed(answer | {"status": found} | data, [*answer, "status", *data]),
    }
    if told.is_remote:
        return made
    many = _body(told, {"keys": _list(_ref(f"Key{mark}"), minItems=1, maxItems=AT_MOST)} | asked, ["keys"])
    status: Schemas = {"status": {"type": "string", "enum": ["found", "not_found", "invalid"]}}
    result = closed(status | data | {"details": {"type": "object", "additionalProperties": TEXT}}, ["status"])
    return made | {
        "QueryOne": one,
        "QueryMany": many,
        "QueryBody": _one_of(f"QueryOne{mark}", f"QueryMany{mark}"),
        "QueryOneAnswer": made["QueryAnswer"],
        "QueriedOne": result,
        "QueryManyAnswer": closed(answer | {"results": _list(_ref(f"QueriedOne{mark}"))}, [*answer, "results"]),
        "QueryAnswer": _one_of(f"QueryOneAnswer{mark}", f"QueryManyAnswer{mark}"),
    }


def _verify(told: Description, mark: str) -> Schemas:
    values = closed({item.name: {"type": "string", "maxLength": 500, "description": _told(item)} for item in told.items})
    word = _ref(f"Word{mark}")
    plain = closed({"call_id": UUID, "result": closed({item.name: word for item in told.items})}, ["call_id", "result"])
    key, attributes = _ref(f"Key{mark}"), _ref(f"Attributes{mark}")
    made: Schemas = {
        "Key": _key(told),
        "Attributes": values | {"minProperties": 1},
        "Word": {"type": "string", "enum": list(WORDS)},
    }
    if told.is_remote:
        body = _body(told, {"key": key, "attributes": attributes}, ["key", "attributes"])
        return made | {"VerifyBody": body, "VerifyAnswer": plain}
    verdict = _one_of(f"Word{mark}", f"Detail{mark}")
    told_of = {"result": closed({item.name: verdict for item in told.items}), "score": {"type": ["number", "null"]}}
    wanted: Schemas = {"score": {"type": "boolean"}} | ({} if told.is_list else {"details": {"type": "boolean"}})
    check = closed({"key": key, "attributes": attributes}, ["key", "attributes"])
    result = closed(
        {"status": {"type": "string", "enum": ["answered", "invalid"]}}
        | told_of
        | {"details": {"type": "object", "additionalProperties": TEXT}},
        ["status"],
    )
    many = {"call_id": UUID, "as_of": MOMENT, "results": _list(_ref(f"VerifiedOne{mark}"))}
    return made | {
        "Check": check,
        "Detail": closed(
            {"result": word, "source": {"oneOf": [closed({"code": TEXT, "name": TEXT}, ["code", "name"]), NULL]}, "as_of": LATER},
            ["result", "source", "as_of"],
        ),
        "VerifyOne": _body(told, {"key": key, "attributes": attributes} | wanted, ["key", "attributes"]),
        "VerifyMany": _body(told, {"checks": _list(_ref(f"Check{mark}"), minItems=1, maxItems=AT_MOST)} | wanted, ["checks"]),
        "VerifyBody": _one_of(f"VerifyOne{mark}", f"VerifyMany{mark}"),
        "VerifyOneAnswer": closed({"call_id": UUID} | told_of, ["call_id", "result"]),
        "VerifiedOne": result,
        "VerifyManyAnswer": closed(many, list(many)),
        "VerifyAnswer": _one_of(f"VerifyOneAnswer{mark}", f"VerifyManyAnswer{mark}"),
    }


def _bulk(told: Description, mark: str) -> Schemas:
    part = {"number": COUNT, "rows": COUNT, "bytes": COUNT} | {"sha256": TEXT, "sm3": TEXT, "mark": TEXT, "as_of": MOMENT}
    job: Schemas = {
        "call_id": UUID,
        "job": UUID,
        "state": {"type": "string", "enum": [str(value) for value in JobState.values]},
        "reason": TEXT,
        "format": {"type": "string", "enum": FORMATS},
        "fields": _list(TEXT),
        "grant": UUID,
        "grant_version": COUNT,
        "purpose": TEXT,
        "receiver": TEXT,
        "opened_at": MOMENT,
        "expires_at": MOMENT,
        "expected_rows": COUNT,
        "rows": COUNT,
        "parts": _list(_ref(f"Part{mark}")),
    }
    return {
        "BulkBody": _body(told, {"fields": _fields(told), "format": {"type": "string", "enum": ["csv"]}}, []),
        "JobBody": _body(told, {"fields": _fields(told), "format": {"type": "string", "enum": FORMATS}}, []),
        "Part": closed(part, list(part)),
        "Job": closed(job, list(job)),
    }


def _subscribe(told: Description, mark: str) -> Schemas:
    change = {"op": {"type": "string", "enum": ["upsert", "delete"]}, "key": TEXT}
    page: Schemas = {
        "call_id": UUID,
        "phase": {"type": "string", "enum": ["snapshot", "changes"]},
        "timepoint": TEXT,
        "complete": {"type": "boolean"},
        "changes": _list(_ref(f"Change{mark}")),
    }
    after: Schemas = {"type": ["string", "null"], "maxLength": 400}
    limit: Schemas = {"type": "integer", "minimum": 1, "maximum": ROWS_AT_MOST}
    return {
        "SubscribeBody": _body(told, {"after": after, "limit": limit}, ["after"]),
        "Row": _row(told),
        "Change": closed(change | {"data": _ref(f"Row{mark}")}, list(change)),
        "Changes": closed(page, list(page)),
    }


def _or_null(name: str) -> Schemas:
    return {"oneOf": [_ref(name), NULL]}


def _one_of(*names: str) -> Schemas:
    return {"oneOf": [_ref(name) for name in names]}
