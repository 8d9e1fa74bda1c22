"""Keeping the trust list (互认名单维护): a file with a node and its keys is proposed by one person of the data centre and
confirmed, key by key, by another who types the fingerprint received on another way. Revoking takes one person and holds at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from basedb.dictionary.contract import Source
from basedb.models import DataSource
from core import audit, notifications
from core.audit import Actor
from core.crypto import KeyFileRefused, sm3
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import Department
from core.roles import Role
from core.signing import SM2, PublicKey, pem_blocks
from licenses.models import KeyPurpose, NodePosition, NodeRelation, SealKey, TrustedKey, TrustedNode

FORM: Final = "license-node/1"
LARGEST: Final = 100_000
KEYS_AT_MOST: Final = 10
SOURCE: Final = "recognition.{}"
PATH: Final = "/recognition/nodes/{}/"
CENTRE_ROLES: Final = (Role.REVIEWER, Role.HEAD)


def may_keep(actor: Actor) -> bool:
    """Return whether the actor keeps the trust list."""
    return actor.is_data_centre and actor.user_id is not None and actor.has(*CENTRE_ROLES)


def fingerprint(public: PublicKey) -> str:
    """Return what two people compare: the SM3 digest of the key."""
    return sm3(public.der).hex()


@transaction.atomic
def propose(*, content: bytes, actor: Actor, now: datetime) -> TrustedNode:
    """Lay down a node and its keys as its file says; nothing is trusted before another person has confirmed a key."""
    _require(actor)
    told = _read(content)
    keys = [_key(line, number) for number, line in enumerate(told["keys"], 1)]
    given = _node(told)
    node = TrustedNode.objects.select_for_update().filter(code=told["code"]).first()
    if node is None:
        node = TrustedNode.objects.create(code=told["code"], created_at=now, **given)
        NodePosition.objects.create(node=node)
    elif (node.region_code, node.relation) != (given["region_code"], given["relation"]):
        raise Conflict("recognition.node_differs", _("该节点已登记为其他区划或关系，不能用文件更改；请核对文件来源。"))
    known = set(node.keys.values_list("key_id", flat=True))
    fresh = [(public, times) for public, times in keys if public.id not in known]
    if not fresh:
        raise Conflict("recognition.nothing_new", _("文件中的密钥都已登记，没有新的内容。"))
    for public, times in fresh:
        _lay_down(node, public, times, actor=actor, now=now)
    audit.record(
        actor, "trusted_node.proposed", node, at=now, department_ids=[actor.department_id], keys=[p.id for p, _times in fresh]
    )
    title = _("互认节点“%(name)s”的密钥待复核，请核对指纹") % {"name": node.name}
    for role in CENTRE_ROLES:
        notifications.notify_role(role, department_id=actor.department_id or 0, title=title, path=PATH.format(node.uid), now=now)
    return node


@transaction.atomic
def confirm(*, key_uid: UUID, typed: str, actor: Actor, now: datetime) -> TrustedKey:
    """Put a proposed key in force: another person types the fingerprint the node told on another way."""
    _require(actor)
    key = _locked(key_uid)
    if key.confirmed_at is not None or key.revoked_at is not None:
        raise Conflict("recognition.key_settled", _("这个密钥已经复核或撤销，请刷新页面。"))
    if key.proposed_by_id == actor.user_id:
        raise Forbidden("recognition.same_person", _("提交人不能复核自己提交的密钥，请由数据中心另一人复核。"))
    if "".join(typed.split()).replace(":", "").lower() != key.fingerprint:
        text = _("指纹与登记的密钥不符。请通过电话或公文向对方节点核实，不要从本页复制。")
        raise Invalid("recognition.fingerprint", text, {"fingerprint": [text]})
    key.confirmed_by_id, key.confirmed_at = actor.user_id, now
    key.save(update_fields=["confirmed_by", "confirmed_at"])
    _offer_source(key.node, actor)
    audit.record(actor, "trusted_key.confirmed", key, at=now, department_ids=[actor.department_id], node=key.node.code)
    return key


@transaction.atomic
def revoke(*, key_uid: UUID, reason: str, actor: Actor, now: datetime) -> TrustedKey:
    """Revoke a key at once: what it signed is not trusted from now on."""
    _require(actor)
    key = _locked(key_uid)
    if key.revoked_at is not None:
        raise Conflict("recognition.key_settled", _("这个密钥已经撤销，请刷新页面。"))
    said = reason.strip()
    if not said:
        text = _("请写明撤销原因。")
        raise Invalid("recognition.reason_missing", text, {"reason": [text]})
    key.revoked_at, key.revoked_reason = now, said[:300]
    key.save(update_fields=["revoked_at", "revoked_reason"])
    audit.record(actor, "trusted_key.revoked", key, at=now, department_ids=[actor.department_id], node=key.node.code)
    return key


@transaction.atomic
def change_endpoint(*, uid: UUID, endpoint: str, actor: Actor, now: datetime) -> TrustedNode:
    """Say where a node is reached; empty stops what goes there."""
    _require(actor)
    node = TrustedNode.objects.select_for_update().filter(uid=uid).first()
    if node is None:
        raise NotFound("recognition.node_not_found", _("没有这个互认节点。"))
    node.endpoint = _endpoint(endpoint)
    node.revision += 1
    node.save(update_fields=["endpoint", "revision"])
    audit.record(actor, "trusted_node.moved", node, at=now, department_ids=[actor.department_id])
    return node


def nodes_visible_to(actor: Actor) -> QuerySet[TrustedNode]:
    """Return the nodes; the trust list is no secret to whoever works here."""
    may = actor.has(Role.OPERATOR, Role.HEAD, Role.REVIEWER, Role.AUDIT_ADMINISTRATOR)
    return TrustedNode.objects.prefetch_related("keys").select_related("position") if may else TrustedNode.objects.none()


def published(now: datetime) -> list[dict[str, Any]]:
    """Return the trust list as everybody may read it: nodes with the keys that count now."""
    nodes = TrustedNode.objects.prefetch_related("keys").order_by("code")
    lines = []
    for node in nodes:
        keys = [
            {"key": key.key_id, "fingerprint": key.fingerprint, "valid_from": key.valid_from, "valid_to": key.valid_to}
            for key in node.keys.all()
            if key.confirmed_at and not key.revoked_at and key.valid_from <= now < key.valid_to
        ]
        lines.append({"code": node.code, "name": node.name, "region_code": node.region_code, "keys": keys})
    return lines


def own_keys() -> list[dict[str, Any]]:
    """Return the keys others verify this node by, with the fingerprints its people tell."""
    found = []
    for key in _own():
        public = PublicKey.from_der(pem_blocks(key.public_key)[0][1])
        purpose = KeyPurpose(key.purpose).label
        found.append(
            {"purpose": purpose, "id": public.id, "fingerprint": fingerprint(public), "valid_from": key.valid_from}
        )  # fmt: skip
    return found


def own_card(*, name: str, endpoint: str, valid_to: datetime, relation: NodeRelation = NodeRelation.PEER) -> dict[str, Any]:
    """Return the file other nodes load to trust this one; `relation` is where this node stands seen from there."""
    keys = [
        {"public_key": key.public_key, "valid_from": key.valid_from.isoformat(), "valid_to": valid_to.isoformat()} for key in _own()
    ]
    return {
        "form": FORM,
        "code": settings.NODE_CODE,
        "name": name,
        "region_code": settings.NODE_CODE,
        "relation": relation.value,
        "endpoint": endpoint,
        "keys": keys,
    }


def _own() -> QuerySet[SealKey]:
    """Return the keys in force whose public halves others need."""
    purposes = (KeyPurpose.NODE, KeyPurpose.DATA, KeyPurpose.STATUS)
    return SealKey.objects.filter(purpose__in=purposes, retired_at=None).order_by("purpose")


def _lay_down(node: TrustedNode, public: PublicKey, times: tuple[datetime, datetime], *, actor: Actor, now: datetime) -> None:
    try:
        with transaction.atomic():
            TrustedKey.objects.create(
                node=node, key_id=public.id, fingerprint=fingerprint(public), public_key=public.pem, valid_from=times[0],
                valid_to=times[1], proposed_by_id=actor.user_id or 0, proposed_at=now,
            )  # fmt: skip
    except IntegrityError as error:
        if not TrustedKey.objects.filter(key_id=public.id).exists():
            raise
        raise Conflict("recognition.key_of_another", _("文件中的密钥已登记在另一个节点名下，不能重复使用。")) from error


def _offer_source(node: TrustedNode, actor: Actor) -> None:
    """Let what the node delivers come into the base under its own source."""
    department = Department.objects.filter(pk=actor.department_id or 0).first()
    if department is not None and node.relation == NodeRelation.BELOW:
        DataSource.objects.get_or_create(
            code=SOURCE.format(node.code),
            defaults={
                "title": node.name, "dataset": "license.license", "department": department, "collector": Source.GOVERNMENT_SERVICES,
            },
        )  # fmt: skip


def _require(actor: Actor) -> None:
    if not may_keep(actor):
        raise Forbidden("recognition.not_yours", _("互认名单由数据中心审核员和负责人维护。"))


def _locked(uid: UUID) -> TrustedKey:
    key = TrustedKey.objects.select_for_update(of=("self",)).select_related("node").filter(uid=uid).first()
    if key is None:
        raise NotFound("recognition.key_not_found", _("没有这个密钥。"))
    return key


def _read(content: bytes) -> Mapping[str, Any]:
    told: Any = None
    if len(content) <= LARGEST:
        try:
            told = json.loads(content)
        except (ValueError, RecursionError):
            told = None
    is_list = isinstance(told, dict) and told.get("form") == FORM and isinstance(told.get("keys"), list)
    if not is_list or not 1 <= len(told["keys"]) <= KEYS_AT_MOST:
        raise _fault(_("须为互认节点文件（JSON，form 为 license-node/1），含 1 至 10 个密钥，不超过 100 KB。"))
    code = told.get("code")
    if not (isinstance(code, str) and 2 <= len(code) <= 12 and code.isascii() and code.isalnum() and code == code.upper()):
        raise _fault(_("节点代码应为 2 至 12 位数字或大写字母。"))
    if code == settings.NODE_CODE:
        raise _fault(_("这是本节点自己的代码，不能登记为互认节点。"))
    return dict(told)


def _node(told: Mapping[str, Any]) -> dict[str, str]:
    name, region, relation = told.get("name"), told.get("region_code"), told.get("relation")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= 100:
        raise _fault(_("节点名称应为 1 至 100 个字。"))
    if not (isinstance(region, str) and region.isascii() and region.isdigit() and len(region) in (2, 4, 6)):
        raise _fault(_("所属区划应为 2、4 或 6 位数字。"))
    if relation not in NodeRelation.values:
        raise _fault(_("与本节点关系应为 ABOVE、BELOW 或 PEER。"))
    endpoint = told.get("endpoint") or ""
    if not isinstance(endpoint, str):
        raise _fault(_("接口地址应为文本。"))
    return {"name": name.strip(), "region_code": region, "relation": str(relation), "endpoint": _endpoint(endpoint)}


def _endpoint(given: str) -> str:
    text = given.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        is_good = not text or (parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username)
        is_good = is_good and len(text) <= 200 and not parts.query and not parts.fragment
    except ValueError:
        is_good = False
    if not is_good:
        wrong = _("接口地址应为不含账号和参数的 http(s) 地址。")
        raise Invalid("recognition.endpoint", wrong, {"endpoint": [wrong], "file": [wrong]})
    return text


def _key(line: Any, number: int) -> tuple[PublicKey, tuple[datetime, datetime]]:
    words = {"number": number}
    pem = line.get("public_key") if isinstance(line, dict) else None
    if not isinstance(pem, str):
        raise _fault(_("第 %(number)s 个密钥缺少公钥。") % words)
    if "PRIVATE" in pem:
        raise _fault(_("第 %(number)s 个密钥含有私钥。请通知对方节点立即停用，重新生成后只提供公钥。") % words)
    try:
        blocks = pem_blocks(pem)
        public = PublicKey.from_der(blocks[0][1]) if len(blocks) == 1 else None
    except KeyFileRefused:
        public = None
    if public is None or public.algorithm != SM2:
        raise _fault(_("第 %(number)s 个密钥不是 SM2 公钥（PEM，SubjectPublicKeyInfo）。") % words)
    start, end = _time(line.get("valid_from")), _time(line.get("valid_to"))
    if start is None or end is None or end <= start:
        raise _fault(_("第 %(number)s 个密钥的启用和停用时间不正确，应为带时区的时间且停用晚于启用。") % words)
    return public, (start, end)


def _time(given: Any) -> datetime | None:
    try:
        found = parse_datetime(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _fault(text: str) -> Invalid:
    return Invalid("recognition.file_invalid", text, {"file": [text]})
