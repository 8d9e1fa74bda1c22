"""Whom we trust (互认名单): the node of a region, its keys in force, and what verifying a foreign license comes to.

A key counts when two persons have put it in force, its time has begun and not ended, and nobody revoked it. The three answers -
integrity, status, issuer - are those of `licenses.verification`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from basedb.identifiers import normalize_uscc
from core.calendar import SHANGHAI
from core.errors import Forbidden, Invalid
from core.signing import PublicKey, pem_blocks
from licenses import numbering
from licenses.models import NodeStatusList, TrustedKey, TrustedNode
from licenses.recognition import documents, holdings
from licenses.recognition.documents import Document
from licenses.status.checker import NotGenuine, read_list
from licenses.verification.outcome import Fragment, State, fragment

_YES, _NO, _MAYBE = State.VALID, State.INVALID, State.UNKNOWN
VERDICTS: Final[Mapping[str, tuple[State, str]]] = {
    "integrity.document_signed": (_YES, gettext_noop("文档由颁发地节点签名，签名之后没有改动。")),
    "integrity.document_altered": (_NO, gettext_noop("文档与签名不符，内容在签名之后被改动过，或签名是伪造的。")),
    "integrity.document_not_checked": (_MAYBE, gettext_noop("没有可信的密钥，不能核对签名。")),
    "issuer.foreign_node": (_YES, gettext_noop("由互认名单中的节点“%(node)s”签名，密钥在用。")),
    "issuer.node_unknown": (_NO, gettext_noop("节点“%(node)s”不在互认名单中，不能确认是谁签发的。")),
    "issuer.node_key_unknown": (_NO, gettext_noop("签名所用密钥不是该节点登记的密钥。")),
    "issuer.node_key_revoked": (_NO, gettext_noop("签名所用密钥已被撤销。")),
    "issuer.node_key_not_in_force": (_NO, gettext_noop("签名所用密钥不在有效期内。")),
    "issuer.node_key_unconfirmed": (_NO, gettext_noop("签名所用密钥尚未复核，不能使用。")),
    "issuer.other_region": (_NO, gettext_noop("证照属地不属于该节点，该节点无权为其签名。")),
    "status.foreign_listed": (_YES, gettext_noop("颁发地的状态清单（%(at)s 生成）显示证照有效。")),
    "status.foreign_not_valid": (_NO, gettext_noop("颁发地的状态清单（%(at)s 生成）显示证照已不是有效状态。")),
    "status.foreign_expired": (_NO, gettext_noop("证照有效期已过。")),
    "status.foreign_not_yet": (_NO, gettext_noop("证照有效期尚未开始。")),
    "status.foreign_no_list": (_MAYBE, gettext_noop("尚未取得颁发地的状态清单，不能判断是否已被撤销或注销。")),
    "status.foreign_stale_list": (_MAYBE, gettext_noop("颁发地的状态清单已过期（%(at)s 生成），不能判断现在的状态。")),
    "status.foreign_no_position": (_MAYBE, gettext_noop("文档没有写明在状态清单中的位置，不能判断是否已被撤销或注销。")),
}


@dataclass(frozen=True, slots=True)
class ForeignResult:
    """What verifying a document came to. `document` is None for what could not be read as one."""

    integrity: Fragment
    status: Fragment
    issuer: Fragment
    document: Document | None = None

    @property
    def is_valid(self) -> bool:
        """Whether nothing speaks against it and its origin is certain; the status may be unknown."""
        answers = (self.integrity.state, self.issuer.state)
        return all(state is State.VALID for state in answers) and self.status.state is not State.INVALID

    def told(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return {"integrity": self.integrity.told(), "status": self.status.told(), "issuer": self.issuer.told()}


def reached(now: datetime) -> QuerySet[TrustedNode]:
    """Return the nodes that are sent to and asked: with an address and a key that counts now; one person puts none in force."""
    keys = TrustedKey.objects.filter(
        node=OuterRef("pk"), confirmed_at__isnull=False, revoked_at=None, valid_from__lte=now, valid_to__gt=now
    )
    return TrustedNode.objects.exclude(endpoint="").filter(Exists(keys))


def node_of_region(region_code: str) -> TrustedNode | None:
    """Return the node a region belongs to: the one with the longest code that fits (所属地). Nodes nobody confirmed are none."""
    if not region_code:
        return None
    confirmed = TrustedKey.objects.filter(node=OuterRef("pk"), confirmed_at__isnull=False)
    nodes = [node for node in TrustedNode.objects.filter(Exists(confirmed)) if belongs(region_code, node)]
    return max(nodes, key=lambda node: len(prefix_of(node)), default=None)


def belongs(region_code: str, node: TrustedNode) -> bool:
    """Tell whether a region lies in that of a node."""
    return region_code.startswith(prefix_of(node))


def prefix_of(node: TrustedNode) -> str:
    """Return the beginning all region codes of a node have: a province's two digits, a city's four, a county's six."""
    return holdings.prefix(node.region_code)


def key_fault(key: TrustedKey | None, now: datetime) -> str:
    """Return the code of what keeps a key from counting at a time, or nothing."""
    if key is None:
        return "node_key_unknown"
    if key.confirmed_at is None:
        return "node_key_unconfirmed"
    if key.revoked_at is not None:
        return "node_key_revoked"
    return "" if key.valid_from <= now < key.valid_to else "node_key_not_in_force"


def find_key(node_code: str, key_id: str) -> TrustedKey | None:
    """Return a key a node has shown, whether it counts or not."""
    return TrustedKey.objects.select_related("node").filter(node__code=node_code, key_id=key_id).first()


def verifies(key: TrustedKey, message: bytes, signature: bytes) -> bool:
    """Tell whether this key made the signature."""
    ((_kind, der),) = pem_blocks(key.public_key)
    return bool(signature) and PublicKey.from_der(der).verifies(message, signature)


def trusted_key(node_code: str, key_id: str, now: datetime) -> TrustedKey:
    """Return a key that counts now; Forbidden with the reason otherwise."""
    key = find_key(node_code, key_id)
    fault = key_fault(key, now)
    if key is None and not TrustedNode.objects.filter(code=node_code).exists():
        fault = "node_unknown"
    if key is None or fault:
        raise Forbidden(f"recognition.{fault}", verdict(f"issuer.{fault}", node=node_code[:12]).message, {"key": key_id[:16]})
    return key


def issuer_of(of: str | Document, now: datetime) -> Fragment | None:
    """Return what is known of who issued a license of another region, by identifier or document; None when nothing is known."""
    if isinstance(of, Document):
        return _issuer(of, now)[0]
    try:
        region = normalize_uscc(numbering.parse(of).issuer_code)[2:8]
    except (Invalid, ValueError):
        return None
    node = node_of_region(region)
    if node is None:
        return None
    counts = any(not key_fault(key, now) for key in node.keys.all())
    return fragment("issuer.trusted_node" if counts else "issuer.untrusted_node", {"node": node.code})


def verify_document(document: Any, now: datetime) -> ForeignResult:
    """Verify a foreign license document: unaltered, still valid, by somebody we trust; each with its reason."""
    found = documents.read(document)
    issuer, key = _issuer(found, now)
    if key is None:
        integrity = verdict("integrity.document_not_checked")
    elif verifies(key, found.message, found.signature):
        integrity = verdict("integrity.document_signed", key=key.key_id)
    else:
        integrity = verdict("integrity.document_altered", key=key.key_id)
    return ForeignResult(integrity, _status(found, now), issuer, found)


def verdict(code: str, *, key: str = "", **words: str) -> Fragment:
    """Return the fragment of a code."""
    state, sentence = VERDICTS[code]
    return Fragment(state, code, _(sentence) % words if words else _(sentence), {"key": key} if key else {})


def _issuer(document: Document, now: datetime) -> tuple[Fragment, TrustedKey | None]:
    """Return who issued it, and the key to check with, which is also there when it must not count any more."""
    node = TrustedNode.objects.filter(code=document.node).first()
    if node is None:
        return verdict("issuer.node_unknown", node=document.node[:12]), None
    key = find_key(document.node, document.key)
    if fault := key_fault(key, now):
        return verdict(f"issuer.{fault}", key=document.key[:16], node=node.name), key
    if not belongs(str(document.data["region"]), node):
        return verdict("issuer.other_region", node=node.name), key
    return verdict("issuer.foreign_node", key=document.key, node=node.name), key


def _status(document: Document, now: datetime) -> Fragment:
    today = now.astimezone(SHANGHAI).date()
    if document.data["valid_to"] and date.fromisoformat(str(document.data["valid_to"])) < today:
        return verdict("status.foreign_expired")
    if document.data["valid_from"] and date.fromisoformat(str(document.data["valid_from"])) > today:
        return verdict("status.foreign_not_yet")
    if document.position is None:
        return verdict("status.foreign_no_position")
    return _listed(document.node, document.list_name, document.position, now)


def _listed(node_code: str, list_name: str, position: int, now: datetime) -> Fragment:
    """Return what the list of a node says of a place in it; its key may have been revoked since the list was fetched."""
    kept = NodeStatusList.objects.filter(node__code=node_code, name=list_name).first()

    def is_genuine(code: str, message: bytes, signature: bytes) -> bool:
        key = find_key(node_code, code.rpartition("-")[2])
        return key is not None and not key_fault(key, now) and verifies(key, message, signature)

    try:
        found = read_list(kept.content.encode(), is_genuine) if kept else None
    except NotGenuine:
        found = None
    if kept is None or found is None:
        return verdict("status.foreign_no_list")
    at = f"{kept.built_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    if found.state_at(position) != "valid":
        return verdict("status.foreign_not_valid", at=at)
    return verdict("status.foreign_listed" if now <= kept.valid_until else "status.foreign_stale_list", at=at)
