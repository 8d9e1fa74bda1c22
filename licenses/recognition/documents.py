"""License documents that cross regions (互认证照文档): what is signed, as one stable sequence of bytes, and how one is read. Pure.

A document says which node vouches for it, the data of the license as `licenses.sealing.canonical` writes them, and where its
bit stands in which status list. Whether the node is trusted is not asked here.
"""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext as _

from core.errors import Invalid
from licenses.sealing.canonical import canonical_json

FORM: Final = "license-document/1"
DATA_FORM: Final = "license/1"
LARGEST: Final = 64_000
SIGNED: Final = ("form", "node", "list", "position", "data")
TEXTS: Final = ("identifier", "type", "number", "region", "issued_on", "valid_from", "valid_to")
DEEPEST: Final = 6


@dataclass(frozen=True, slots=True)
class Document:
    """A document that could be read: its parts, the bytes its signature is over, and the signature."""

    node: str
    key: str
    list_name: str
    position: int | None
    data: Mapping[str, Any]
    message: bytes
    signature: bytes

    @property
    def identifier(self) -> str:
        """The identifier of the license."""
        return str(self.data["identifier"])


def body(node: str, data: Mapping[str, Any], *, list_name: str = "", position: int | None = None) -> dict[str, Any]:
    """Return what a node signs of a license."""
    return {"form": FORM, "node": node, "list": list_name, "position": position, "data": dict(data)}


def sealed(content: Mapping[str, Any], key: str, signature: bytes) -> dict[str, Any]:
    """Return a document: its body with the signature and the id of its key."""
    return {**content, "key": key, "signature": base64.b64encode(signature).decode()}


def read(document: Any) -> Document:
    """Return the parts of a document; Invalid when it is not one."""
    if not isinstance(document, Mapping) or document.get("form") != FORM:
        raise unreadable(_("不是互认证照文档，请核对文件。"))
    told = {name: document.get(name) for name in SIGNED}
    texts = (told["node"], told["list"], document.get("key"), document.get("signature"))
    if not all(isinstance(text, str) and is_plain(text) for text in texts) or not is_position(told["position"]):
        raise unreadable(_("文档缺少节点、密钥或签名，或格式不正确。"))
    if fault := data_fault(told["data"]):
        raise unreadable(fault)
    message = canonical_json(told)
    if len(message) > LARGEST:
        raise unreadable(_("文档过大。"))
    return Document(
        node=str(told["node"]),
        key=str(document["key"]),
        list_name=str(told["list"]),
        position=told["position"],
        data=told["data"],  # type: ignore[arg-type]  # `data_fault` looked
        message=message,
        signature=signature_of(str(document["signature"])),
    )


def signature_of(text: str) -> bytes:
    """Return the bytes of a signature; nothing for what is not base64, which no key verifies."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def is_position(value: Any) -> bool:
    """Tell whether a value can be a place in a status list, or none."""
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40)


def data_fault(data: Any) -> str:
    """Return what is wrong with the data of a license, or nothing."""
    if not isinstance(data, Mapping) or data.get("form") != DATA_FORM:
        return _("证照数据的格式不正确。")
    if not is_plain(data):
        return _("证照数据只能含有文本和整数，且不得含有控制字符。")
    if not all(isinstance(data.get(name), str) for name in TEXTS):
        return _("证照数据缺少标识、类型、编号、属地或日期。")
    return _issuer_fault(data) or _holders_fault(data.get("holders")) or _dates_fault(data)


def _issuer_fault(data: Mapping[str, Any]) -> str:
    issuer, face = data.get("issuer"), data.get("face") or {}
    if not isinstance(issuer, Mapping) or not all(isinstance(issuer.get(name), str) for name in ("code", "name")):
        return _("证照数据缺少颁发机构。")
    if not isinstance(face, Mapping) or not all(isinstance(value, str) for value in face.values()):
        return _("证照数据的照面信息须为名称与文本的集合。")
    return ""


def _holders_fault(holders: Any) -> str:
    if not isinstance(holders, list) or not 1 <= len(holders) <= 99:
        return _("证照数据没有持证主体，或持证主体过多。")
    for holder in holders:
        if not isinstance(holder, Mapping) or not all(isinstance(holder.get(n), str) for n in ("name", "code", "code_type")):
            return _("持证主体缺少名称、代码或代码类型。")
    return ""


def _dates_fault(data: Mapping[str, Any]) -> str:
    try:
        issued, start = date.fromisoformat(data["issued_on"]), date.fromisoformat(data["valid_from"] or data["issued_on"])
        end = date.fromisoformat(data["valid_to"]) if data["valid_to"] else None
    except ValueError:
        return _("日期的格式不正确，应为 YYYY-MM-DD。")
    if end is not None and (end < start or end < issued):
        return _("有效期止早于有效期起或颁发日期。")
    return ""


def is_plain(value: Any, depth: int = 0) -> bool:
    """Tell whether a value holds texts without control characters, whole numbers and nothing deeper than licenses are."""
    if depth > DEEPEST:
        return False
    if isinstance(value, str):
        return not any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in value)
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and is_plain(k) and is_plain(v, depth + 1) for k, v in value.items())
    if isinstance(value, list):
        return all(is_plain(inner, depth + 1) for inner in value)
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def unreadable(text: str) -> Invalid:
    """Return the refusal of something that is no document."""
    return Invalid("license_document.unreadable", text, {"document": [text]})
