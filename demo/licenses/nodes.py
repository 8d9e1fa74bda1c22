"""Simulated nodes (演示节点): a county below and a province above with keys of their own, answering in this process.

They speak the messages of `licenses.recognition` and hold what they are given. Their keys are gone when the process ends.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any

from django.conf import settings

from core.signing import SigningKey
from licenses.models import TrustedNode
from licenses.recognition import documents, envelopes, keeping, transport
from licenses.recognition.questions import ANSWER_FORM
from licenses.recognition.receiving import FORM as BATCH_FORM
from licenses.recognition.receiving import RECEIPT_FORM
from licenses.sealing import key_files
from licenses.sealing.canonical import canonical_json

_SECRET = b"the secret of a simulated node"


def new_key() -> SigningKey:
    """Return a fresh SM2 key."""
    return SigningKey.from_pem(key_files.pem_of(key_files.decrypt(key_files.new_sm2(_SECRET), _SECRET)))


@dataclass
class Held:
    """A license a node says it has."""

    type_code: str
    month: str
    state: str
    data: dict[str, Any] | None = None
    position: int | None = None


@dataclass
class SimulatedNode:
    """A node: what it holds, what it took in, and how it answers."""

    code: str
    name: str
    relation: str
    endpoint: str = ""
    key: SigningKey = field(default_factory=new_key)
    held: dict[str, Held] = field(default_factory=dict)
    taken: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    sent: list[dict[str, str]] = field(default_factory=list)
    digest: str = ""

    def card(self, now: datetime, **values: Any) -> bytes:
        """Return the file another node loads to trust this one."""
        times = {"valid_from": (now - timedelta(days=30)).isoformat(), "valid_to": (now + timedelta(days=700)).isoformat()}
        told = {
            "form": keeping.FORM,
            "code": self.code,
            "name": self.name,
            "region_code": self.code,
            "relation": self.relation,
            "endpoint": self.endpoint,
            "keys": [{"public_key": self.key.public.pem, **times}],
        }
        return json.dumps(told | values, ensure_ascii=False).encode()

    def fingerprint(self) -> str:
        """Return what the node's people read out on the telephone."""
        return keeping.fingerprint(self.key.public)

    def seal(self, content: Mapping[str, Any], *, key: SigningKey | None = None) -> dict[str, str]:
        """Sign a message to our node."""
        signer = key or self.key
        text = canonical_json({"from": self.code, "to": settings.NODE_CODE, **content}).decode()
        signature = base64.b64encode(signer.sign(text.encode())).decode()
        return {"node": self.code, "key": signer.public.id, "content": text, "signature": signature}

    def batch(self, rows: list[Any], *, number: int | None = None, previous: str | None = None) -> dict[str, str]:
        """Return the next batch of rows; sending it is the caller's."""
        place = len(self.sent) + 1 if number is None else number
        before = (envelopes.digest_of(self.sent[-1]["content"]) if self.sent else "") if previous is None else previous
        return self.seal({"form": BATCH_FORM, "number": place, "previous": before, "rows": rows})

    def document(self, data: Mapping[str, Any], *, position: int | None = None, key: SigningKey | None = None) -> dict[str, Any]:
        """Return a license document of this node."""
        signer = key or self.key
        body = documents.body(self.code, data, list_name="issued" if position is not None else "", position=position)
        return documents.sealed(body, signer.public.id, signer.sign(canonical_json(body)))

    def post(self, node: TrustedNode, path: str, body: Mapping[str, Any]) -> tuple[int, Any]:
        """Answer as the door of this node would."""
        content = json.loads(body["content"])
        return self._take(body, content) if path == transport.BATCHES else self._answer(content)

    def get(self, node: TrustedNode, path: str) -> tuple[int, Any]:
        """Publish nothing."""
        return 404, None

    def _take(self, body: Mapping[str, Any], content: Mapping[str, Any]) -> tuple[int, Any]:
        number, expected = content["number"], len(set(self.numbers)) + 1
        if number > expected:
            return 409, {"code": "license_batch.gap", "details": {"number": number, "expected": expected}}
        if number == expected:
            self.taken += content["rows"]
        self.numbers.append(number)
        told = {"form": RECEIPT_FORM, "number": number, "digest": envelopes.digest_of(body["content"]), "rejected": []}
        return 200, self.seal(told | {"accepted": len(content["rows"])})

    def _answer(self, content: Mapping[str, Any]) -> tuple[int, Any]:
        told: dict[str, Any] = {"form": ANSWER_FORM, "nonce": content["nonce"]}
        match content["kind"]:
            case "summary":
                told["lines"] = self._summary()
            case "lines":
                at = (content["type_code"], content["month"])
                told["licenses"] = [[i, h.state] for i, h in sorted(self.held.items()) if (h.type_code, h.month) == at]
            case _:
                found = self.held.get(content["identifier"])
                told["found"] = found is not None and found.data is not None
                if found is not None and found.data is not None:
                    told["document"] = self.document(found.data, position=found.position)
        return 200, self.seal(told)

    def _summary(self) -> list[list[Any]]:
        lines: dict[tuple[str, str], list[int]] = {}
        for identifier, held in self.held.items():
            code = int(md5(f"{identifier}:{held.state}".encode(), usedforsecurity=False).hexdigest()[:13], 16)
            lines.setdefault((held.type_code, held.month), []).append(code)
        return [[kind, month, len(codes), str(sum(codes))] for (kind, month), codes in sorted(lines.items())]


def data_of(
    identifier: str, *, title_number: str, region: str, holder: tuple[str, str, str], issued_on: str, valid_to: str = ""
) -> dict[str, Any]:
    """Return the data of a license as documents carry them; `holder` is name, code and kind of code."""
    _root, type_code, issuer, _serial, version, _check = identifier.rsplit(".", 5)
    name, code, kind = holder
    return {
        "form": documents.DATA_FORM,
        "identifier": identifier,
        "type": type_code,
        "type_version": 1,
        "issuer": {"code": issuer, "name": "某地行政审批局"},
        "serial": "",
        "version": int(version),
        "number": title_number,
        "region": region,
        "holders": [{"name": name, "code": code, "code_type": kind}],
        "issued_on": issued_on,
        "valid_from": issued_on,
        "valid_to": valid_to,
        "face": {"备注": "演示数据"},
    }
