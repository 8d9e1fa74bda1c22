"""Judging the rows a node delivers (逐行校验): form, identifier, region, state, and the issuer's signature if there is one. Pure.

What the base asks of a row beyond that, it judges itself when the row is taken in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from core.errors import Invalid
from licenses import numbering
from licenses.recognition import documents
from licenses.sealing.canonical import canonical_json

STATES: Final = ("01", "02", "03", "04", "05", "06", "07", "99")
LONGEST_TITLE: Final = 200
PARTS: Final = ("data", "title", "state", "key", "signature", "gone")  # whatever else a row carries nobody looked at
MESSAGES: Final[Mapping[str, Any]] = {
    "row.form": _("这一行不是证照数据，或缺少必填内容。"),
    "row.identifier": _("电子证照标识无法读取，请按 GB/T 36904 编制。"),
    "row.identifier_parts": _("电子证照标识中的类型或颁发机构与数据不一致。"),
    "row.region": _("证照属地不属于该节点，不能由该节点报送。"),
    "row.state": _("证照状态代码不在代码表中。"),
    "row.signature": _("颁发机构的签名与数据不符，或密钥不可信。"),
}

Checks = Callable[[str, bytes, bytes], bool]  # key id, message, signature -> whether a trusted key of the node made it


def row_of(
    data: Mapping[str, Any], *, title: str, state: str, key: str = "", signature: str = "", gone: bool = False
) -> dict[str, Any]:
    """Return a row as it travels."""
    return {"data": dict(data), "title": title, "state": state, "key": key, "signature": signature, "gone": gone}


def fault_of(row: Any, *, prefix: str, is_genuine: Checks) -> str:
    """Return the code of the first thing wrong with a row, or nothing."""
    if not _has_form(row):
        return "row.form"
    data = row["data"]
    if fault := _identifier_fault(data):
        return fault
    if not str(data["region"]).startswith(prefix):
        return "row.region"
    if row["state"] not in STATES:
        return "row.state"
    is_signed = bool(row["signature"] or row["key"])
    if is_signed and not is_genuine(row["key"], canonical_json(data), documents.signature_of(row["signature"])):
        return "row.signature"
    return ""


def _has_form(row: Any) -> bool:
    if not isinstance(row, Mapping) or documents.data_fault(row.get("data")) or not isinstance(row.get("gone"), bool):
        return False
    texts = tuple(row.get(name) for name in ("title", "state", "key", "signature"))
    if not all(isinstance(text, str) for text in texts):
        return False
    return 1 <= len(row["title"]) <= LONGEST_TITLE and documents.is_plain(row["title"])


def identifier_of(row: Any) -> str:
    """Return what a row calls itself, as far as it can be told."""
    data = row.get("data") if isinstance(row, Mapping) else None
    text = data.get("identifier") if isinstance(data, Mapping) else None
    return text[:128] if isinstance(text, str) and documents.is_plain(text) else ""


def _identifier_fault(data: Mapping[str, Any]) -> str:
    """An odd identifier is taken in and marked by the base for review; one that contradicts its own data is not."""
    try:
        parts = numbering.parse(data["identifier"])
    except Invalid:
        return "row.identifier"
    is_same = parts.type_code == data["type"] and parts.issuer_code == data["issuer"]["code"]
    return "" if is_same else "row.identifier_parts"
