"""Questions between nodes (节点询问): what is held by type and month, which licenses that is, and one license for a matter.

A question is signed, names a time and a nonce that works once, and is kept; a license leaves only with its use recorded.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from basedb.licenses import rows_of
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, Unavailable
from licenses import uses
from licenses.models import KeyPurpose, License, ListName, NodeQuestion, NodeRelation, TrustedNode, UseChannel
from licenses.recognition import documents, envelopes, holdings, pushing, transport, trust
from licenses.recognition.envelopes import Envelope, Opened
from licenses.sealing import keys
from licenses.sealing.canonical import canonical, canonical_json, data_of
from licenses.subject_keys import key_of

FORM: Final = "license-question/1"
ANSWER_FORM: Final = "license-answer/1"
SUMMARY, LINES, LICENSE = "summary", "lines", "license"
WINDOW: Final = timedelta(minutes=5)
LONGEST_TEXT: Final = 200
OK: Final = 200


def ask(*, node: TrustedNode, kind: str, now: datetime, **about: str) -> Mapping[str, Any]:
    """Ask a node and return its answer; Unavailable when it does not answer or its answer does not hold."""
    if not trust.reached(now).filter(pk=node.pk).exists():
        text = _("节点“%(node)s”没有已复核且在有效期内的密钥，或没有接口地址，不能向它询问。请联系数据中心。")
        raise Conflict("recognition.node_not_trusted", text % {"node": node.name})
    nonce = secrets.token_hex(16)
    told = {"form": FORM, "kind": kind, "nonce": nonce, "at": now.isoformat(), **about}
    status, answer = transport.current().post(node, transport.QUESTIONS, envelopes.seal(told, to=node.code))
    if status != OK:
        code = str(answer.get("code", "")) if isinstance(answer, Mapping) else ""
        raise Unavailable("recognition.refused_there", _("对方节点拒绝了询问：%(code)s。") % {"code": code[:100] or status})
    opened = envelopes.open_envelope(answer, form=ANSWER_FORM, now=now)
    if opened.node.pk != node.pk or opened.content.get("nonce") != nonce:
        raise Forbidden("recognition.misdirected", _("报文不是该节点发给本节点的这一类报文。"))
    return opened.content


def answer(*, envelope: Any, client_ip: str | None, now: datetime) -> Envelope:
    """Answer the question of a trusted node."""
    opened = envelopes.open_envelope(envelope, form=FORM, now=now)
    asked = _read(opened.content, now)
    with transaction.atomic():
        found = _answer(opened, asked, Actor(name=opened.node.name[:60], client_ip=client_ip), now)
        _note(opened, asked, found, now)
        told = {"form": ANSWER_FORM, "nonce": asked["nonce"], **found}
        return envelopes.seal(told, to=opened.node.code)


def own_document(identifier: str) -> dict[str, Any] | None:
    """Return a license of ours as a document other regions can verify; None when there is none of this identifier."""
    issued = License.objects.select_related("type_version").filter(identifier=identifier).first()
    if issued is not None:
        data = json.loads(canonical(data_of(issued)))
        return _sealed(data, ListName.ISSUED, issued.position)
    rows = list(rows_of(identifier).filter(withdrawn_at=None).order_by("id").values())
    if not rows:
        return None
    data = pushing.delivered_data(rows[0] | {"issuer_code": rows[0]["issuer_code"] or ""})
    data["holders"] = [{"name": r["holder_name"], "code": r["holder_code"], "code_type": r["holder_code_type"]} for r in rows]
    return _sealed(data, ListName.AGGREGATED, rows[0]["id"])


def _sealed(data: Mapping[str, Any], list_name: str, position: int) -> dict[str, Any]:
    content = documents.body(settings.NODE_CODE, data, list_name=str(list_name), position=position)
    signature, key = keys.sign(KeyPurpose.NODE, canonical_json(content))
    return documents.sealed(content, envelopes.id_of(key), signature)


def _read(content: Mapping[str, Any], now: datetime) -> dict[str, str]:
    texts = ("kind", "nonce", "at", "region", "type_code", "month", "identifier", "matter", "purpose")
    asked = {name: content.get(name, "") for name in texts}
    if not all(isinstance(text, str) and len(text) <= LONGEST_TEXT and documents.is_plain(text) for text in asked.values()):
        raise _fault(_("询问的内容应为不超过 200 个字的文本。"))
    if asked["kind"] not in (SUMMARY, LINES, LICENSE) or not 16 <= len(asked["nonce"]) <= 64:
        raise _fault(_("询问的种类或随机数不正确。"))
    try:
        at = parse_datetime(asked["at"])
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or abs(now - at) > WINDOW:
        raise Forbidden("recognition.clock_skew", _("询问的时间与本节点相差超过 5 分钟，请校准时钟后重新签名。"))
    if asked["kind"] == LICENSE and not (asked["matter"].strip() and asked["purpose"].strip()):
        raise _fault(_("调取证照须写明事项和用途。"))
    return asked


def _answer(opened: Opened, asked: Mapping[str, str], actor: Actor, now: datetime) -> dict[str, Any]:
    region = asked["region"] or settings.NODE_CODE
    if asked["kind"] != LICENSE and opened.node.relation != NodeRelation.ABOVE and not trust.belongs(region, opened.node):
        raise Forbidden("recognition.not_your_region", _("只有上级节点，或区划所属的节点本身，可以询问该区划的证照清单。"))
    match asked["kind"]:
        case "summary":
            return {"lines": [list(line) for line in holdings.summary(region)]}
        case "lines":
            return {"licenses": [list(line) for line in holdings.licenses(region, asked["type_code"], asked["month"])]}
    document = own_document(asked["identifier"].strip().upper())
    if document is None:
        return {"found": False}
    data = document["data"]
    uses.record_for(
        subjects_of(data), identifier=data["identifier"], type_code=data["type"], issuer_code=data["issuer"]["code"],
        channel=UseChannel.RECOGNIZED, actor=actor, matter=asked["matter"], purpose=asked["purpose"],
        items=sorted(data["face"]), at=now,
    )  # fmt: skip
    return {"found": True, "document": document}


def subjects_of(data: Mapping[str, Any]) -> list[bytes]:
    """Return the keys of the holders a document names, as far as they are people or entities with a code."""
    return [found[1] for holder in data["holders"] if (found := key_of(holder["code"]))]


def _note(opened: Opened, asked: Mapping[str, str], found: Mapping[str, Any], now: datetime) -> None:
    """Keep the question; a nonce that was used is a replay."""
    try:
        with transaction.atomic():
            NodeQuestion.objects.create(
                node=opened.node, nonce=asked["nonce"], kind=asked["kind"], matter=asked["matter"], purpose=asked["purpose"],
                is_answered=found.get("found", True), at=now,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("recognition.replayed", _("这个询问已经回答过，请以新的随机数重新签名。")) from error


def _fault(text: str) -> Invalid:
    return Invalid("recognition.question_invalid", text, {"content": [text]})
