"""Answering integrators of the national convention (国家规范服务端): their headers, paths and envelopes, our decisions.

A call is brought into the form of ours and goes the same way (`exchange.calls.answering`); only who signs, what is signed and
how yes and no are written differ. Without a nonce of their own, time and signature of a call stand for one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS
from core.crypto import Sealed
from core.ids import uuid7
from exchange.calls import answering, connections, registry
from exchange.calls.authentication import DIGEST, NONCE, TIMESTAMP
from exchange.calls.refusals import Refusal
from exchange.calls.registry import Memory
from exchange.calls.terms import Answer, Incoming, Signed, Terms
from exchange.calls.values import read_object
from exchange.national import signing
from exchange.systems import key_ring

PATH: Final = "/httpproxy"
RELOADS_A_SECOND: Final = 20
NO_GRANT: Final = "00000000-0000-0000-0000-000000000000"
IDENTITY: Final = re.compile(r"[A-Za-z0-9_@.-]{4,64}")
REQUESTER: Final = """
SELECT c.key, r.requires_v2, (SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.issued_at DESC), '[]')
    FROM exchange_nationalsession s WHERE s.requester_id = r.id)
FROM exchange_nationalrequester r JOIN exchange_credential c ON c.id = r.credential_id WHERE r.rid = <<rid>>"""
SERVICE: Final = """
SELECT g.uid::text, g.mode, s.key_parameter, s.attribute_parameters
FROM exchange_nationalservice s JOIN exchange_grant g ON g.id = s.grant_id WHERE s.sid = <<sid>>"""


@dataclass(frozen=True, slots=True)
class Given:
    """A request as it came, whichever generation its headers are of. Nonce and digest are ours and optional."""

    method: str
    rid: str
    sid: str
    rtime: str
    sign: str
    nonce: str
    digest: str
    client_ip: str | None
    body: bytes = field(repr=False)
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """A session secret and when it ends."""

    secret: str = field(repr=False)
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Requester:
    """A system of ours behind a rid."""

    key: str
    requires_v2: bool
    sessions: tuple[Session, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """A grant behind a service code."""

    grant_uid: str
    mode: str
    key_parameter: str
    parameters: Mapping[str, str]


def place_of_session(rid: str, slot: int) -> bytes:
    """Return what binds a sealed session secret to its row."""
    return f"national_session:{rid}:{slot}".encode()


def _load_requester(rid: str) -> Requester | None:
    row = connections.run(REQUESTER, (("rid", "text"),), {"rid": rid})
    return Requester(row[0], row[1], tuple(_session(rid, session) for session in row[2])) if row else None


def _session(rid: str, row: Mapping[str, Any]) -> Session:
    nonce, ciphertext = (bytes.fromhex(row[name][2:]) for name in ("secret_nonce", "secret_ciphertext"))
    sealed = Sealed(row["secret_key_id"], nonce, ciphertext)
    secret = key_ring().open(sealed, place_of_session(rid, row["slot"]))
    return Session(secret.decode(), datetime.fromisoformat(row["ends_at"]))


def _load_service(sid: str) -> Service | None:
    row = connections.run(SERVICE, (("sid", "text"),), {"sid": sid})
    return Service(*row) if row else None


requesters: Final = Memory(_load_requester)
services: Final = Memory(_load_service)


class _Budget:
    """How often a second wrong signatures may make this process ask the database: a rid is no secret."""

    def __init__(self) -> None:
        self._counting = threading.Lock()
        self._second, self._taken = 0, 0

    def take(self) -> bool:
        """Return whether it may ask once more in this second."""
        second = int(time.monotonic())
        with self._counting:
            self._taken = self._taken + 1 if second == self._second else 1
            self._second = second
            return self._taken <= RELOADS_A_SECOND


_again: Final = _Budget()


def check_form(given: Given) -> None:
    """Refuse headers that are missing or malformed."""
    malformed = [
        name
        for name, value, form in (
            ("rid", given.rid, IDENTITY),
            ("sid", given.sid, IDENTITY),
            ("rtime", given.rtime, TIMESTAMP),
            ("nonce", given.nonce or "x" * 8, NONCE),
            ("digest", given.digest or "0" * 64, DIGEST),
        )
        if not form.fullmatch(value)
    ]
    if malformed or not given.sign:
        malformed += [] if given.sign else ["sign"]
        raise Refusal("auth.missing_header", dict.fromkeys(malformed, "missing_or_malformed"))


def nonce_of(given: Given) -> str:
    """Return the nonce, or what stands for one: the same time and signature are the same request."""
    return given.nonce or nonce_of_signature(given)


def nonce_of_signature(given: Given) -> str:
    """Return what stands for a nonce that is signed: of the signature's bytes, which Base64 can write in several ways."""
    return f"n{given.rtime}-{hashlib.sha256(base64.b64decode(given.sign)).hexdigest()[:32]}"


def authenticate(given: Given, call: Incoming) -> Signed:
    """Return the signed call, or refuse it as one of nobody we know."""
    check_form(given)
    requester = requesters.get(given.rid)
    if requester is None:
        raise Refusal("auth.unknown_key", {"rid": "unknown"})
    if not _is_signed(given, requester):
        requester = requesters.reload(given.rid) if _again.take() else requester  # a session may be a moment old
        if requester is None or not _is_signed(given, requester):
            raise Refusal("auth.bad_signature", {"sign": "not_of_a_session_that_lives"})
    if requester.requires_v2 and not (given.nonce and given.digest):
        raise Refusal("auth.missing_header", {"nonce": "required", "digest": "required"})
    caller = registry.callers.get(requester.key)
    if caller is None:
        raise Refusal("auth.unknown_key", {"rid": "unknown"})
    return Signed(
        call_id=str(uuid7()),
        caller=caller,
        mode=call.mode,
        path=call.path,
        signed_ms=int(given.rtime),
        nonce=nonce_of(given),
        digest=given.digest or hashlib.sha256(given.body).hexdigest(),
        client_ip=given.client_ip,
        byte_count=len(given.body),
        began=call.began,
    )


def _is_signed(given: Given, requester: Requester) -> bool:
    now = datetime.now(tz=UTC)
    live = [session.secret for session in requester.sessions if session.ends_at > now]
    return signing.is_signed(
        given.sign, live, sid=given.sid, rid=given.rid, rtime=given.rtime, nonce=given.nonce, digest=given.digest
    )


def serve(given: Given, *, now: datetime) -> Answer:
    """Answer one business call."""
    service = services.get(given.sid) if IDENTITY.fullmatch(given.sid) else None
    call = Incoming(
        path=PATH,
        grant_uid=service.grant_uid if service else NO_GRANT,
        mode=service.mode if service and service.mode in ("QUERY", "VERIFY") else "QUERY",
        key=given.rid,
        timestamp=given.rtime,
        nonce=given.nonce,
        digest=given.digest,
        signature=given.sign,
        algorithm="",
        client_ip=given.client_ip,
        read=lambda at_most: given.body[:at_most],
        byte_count=len(given.body),
        method=given.method,
        translate=partial(_translated, given, service) if service and service.key_parameter else None,
    )
    return enveloped(answering.answer(call, now=now, authenticate=partial(authenticate, given)))


def _translated(given: Given, service: Service, body: bytes) -> bytes:
    """Return a body of ours out of the parameters of theirs; what nobody mapped is not read."""
    sent = read_form(body) if given.is_form or given.method == "GET" else read_object(body)
    terms = registry.grants.get(service.grant_uid)
    ours: dict[str, Any] = {}
    if service.key_parameter in sent and terms is not None:
        ours["key"] = {_key_name(terms): sent[service.key_parameter]}
    for theirs, target in service.parameters.items():
        if theirs in sent:
            group, _dot, name = target.rpartition(".")
            ours.setdefault(group or "attributes", {})[name] = sent[theirs]
    if service.mode == "QUERY":
        ours.pop("attributes", None)
    return json.dumps(ours, ensure_ascii=False).encode()


def _key_name(terms: Terms) -> str:
    if terms.remote is not None:
        return terms.remote.key_name
    return DATASETS[terms.selection.dataset].key_field if terms.selection else "key"


def read_form(body: bytes) -> dict[str, Any]:
    """Return the fields of a form or of a query string; one that stands twice is refused."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=50, errors="strict"
        )
    except (ValueError, UnicodeError):
        raise Refusal("call.invalid_parameter", {"body": "not_a_form"}) from None
    if len(dict(pairs)) != len(pairs):
        raise Refusal("call.invalid_parameter", {"body": "a_name_stands_twice"})
    return dict(pairs)


def enveloped(given: Answer) -> Answer:
    """Put an answer into the convention's envelope; integrators read its code, so HTTP says 200 for no as well.

    The digest and signature of ours are those of `data` as it stands in the envelope; a refusal has none.
    """
    content = b"".join(given.body)
    if given.status == 200:
        text = {"code": "0", "message": _("成功")}
        body = json.dumps(text, ensure_ascii=False)[:-1].encode() + b', "data": ' + content + b"}"
        return Answer(200, given.headers, [body])
    told = json.loads(content)
    code = "E-106" if told["code"].startswith("grant.") else "-1"
    text = {"code": code, "message": told.pop("message"), "data": told}
    headers = [(name, value) for name, value in given.headers if not name.startswith("X-Gov-Answer-")]
    return Answer(200, headers, [json.dumps(text, ensure_ascii=False).encode()])
