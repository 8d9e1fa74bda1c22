"""Signed messages between nodes (节点报文): a JSON text, who wrote it, with which key, and its SM2 signature.

The text is signed as it is sent, so that nobody has to write JSON the same way twice. It names whom it is meant for.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from core.crypto import sm3
from core.errors import Forbidden, Invalid
from core.signing import PublicKey, pem_blocks
from licenses.models import KeyPurpose, SealKey, TrustedKey, TrustedNode
from licenses.recognition import documents, trust
from licenses.sealing import keys
from licenses.sealing.canonical import canonical_json

LARGEST: Final = 2_000_000
PARTS: Final = ("node", "key", "content", "signature")

Envelope = dict[str, str]


@dataclass(frozen=True, slots=True)
class Opened:
    """A message whose signature holds: who wrote it with which key, what it says, and its digest."""

    node: TrustedNode
    key: TrustedKey
    content: Mapping[str, Any]
    digest: str


def seal(content: Mapping[str, Any], *, to: str) -> Envelope:
    """Sign a message of ours with the node key."""
    told = {**content, "from": settings.NODE_CODE, "to": to}
    text = canonical_json(told).decode()
    signature, key = keys.sign(KeyPurpose.NODE, text.encode())
    return {
        "node": settings.NODE_CODE,
        "key": id_of(key),
        "content": text,
        "signature": encoded(signature),
    }


def open_envelope(envelope: Any, *, form: str, now: datetime) -> Opened:
    """Return what a trusted node says; Invalid for what is no message, Forbidden for one nobody vouches for."""
    if (
        not isinstance(envelope, Mapping)
        or not all(isinstance(envelope.get(part), str) for part in PARTS)
        or not (documents.is_plain(envelope["node"]) and documents.is_plain(envelope["key"]))
    ):
        text = _("报文须含节点、密钥、内容和签名四个文本字段。")
        raise Invalid("recognition.envelope_invalid", text, {"envelope": [text]})
    message = str(envelope["content"])
    if len(message) > LARGEST:
        text = _("报文过大，请减少每批的行数。")
        raise Invalid("recognition.envelope_too_large", text, {"content": [text]})
    key = trust.trusted_key(str(envelope["node"]), str(envelope["key"]), now)
    encoded = message.encode(errors="replace")
    if not trust.verifies(key, encoded, documents.signature_of(str(envelope["signature"]))):
        raise Forbidden("recognition.signature_invalid", _("报文与签名不符，可能在途中被改动。请用登记的密钥重新签名。"))
    content = _content(message)
    if content.get("from") != key.node.code or content.get("to") != settings.NODE_CODE or content.get("form") != form:
        raise Forbidden("recognition.misdirected", _("报文不是该节点发给本节点的这一类报文。"))
    return Opened(key.node, key, content, digest_of(message))


def encoded(signature: bytes) -> str:
    """Return a signature as it is written in a message."""
    return base64.b64encode(signature).decode()


def digest_of(text: str) -> str:
    """Return the SM3 digest of a message."""
    return sm3(text.encode(errors="replace")).hex()


def id_of(key: SealKey) -> str:
    """Return the id other nodes know a key of ours by."""
    ((_kind, der),) = pem_blocks(key.public_key)
    return PublicKey.from_der(der).id


def _content(message: str) -> Mapping[str, Any]:
    try:
        content = json.loads(message)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        text = _("报文内容不是 JSON 对象。")
        raise Invalid("recognition.content_invalid", text, {"content": [text]})
    return content
