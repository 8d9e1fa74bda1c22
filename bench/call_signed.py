"""The figures `call.query_sm2` and `call.query_ed25519`: the same call, question and answer signed with keys of each side.

They stand apart from `call.query`: what a signature that anybody can check costs beside an HMAC of the same run.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial

from bench import call_query, frame, load
from bench.signing import on_the_wire, signed
from core.signing import SigningKey
from ops import keyring

ALGORITHMS = ("SM2", "ED25519")
ENOUGH = {"SM2": 2_000, "ED25519": 10_000, "hmac": 40_000}  # for a second, signed ahead


def run() -> Iterable[dict[str, object]]:
    """Yield a line for each algorithm; its ratio is to HMAC-SHA256."""
    people = call_query.load_people()
    shared, secret, path = call_query.make_grant()
    keys = {name: _make_key(path, name) for name in ALGORITHMS}
    ways: dict[str, Callable[[bytes], bytes]] = {name: partial(_signed, *keys[name], path) for name in ALGORITHMS}
    ways["hmac"] = partial(signed, shared, secret, path)
    bodies = [json.dumps({"key": {"citizen_id": person}}).encode() for person in people]
    with contextlib.ExitStack() as servers:
        port = servers.enter_context(load.serving(load.APPLICATION))
        with contextlib.suppress(RuntimeError):
            load.rate(port, [ways["hmac"](body) for body in bodies], seconds=1)
        guesses = {name: load.rate(port, _prepared(way, bodies, ENOUGH[name]), seconds=1) for name, way in ways.items()}
        rates = frame.in_turn({name: partial(_rate, port, way, bodies, guesses[name]) for name, way in ways.items()})
    for name in ALGORITHMS:
        yield frame.figure(f"call.query_{name.lower()}", rates[name], "1/s", hmac=rates[name] / rates["hmac"])


def _rate(port: int, way: Callable[[bytes], bytes], bodies: list[bytes], guess: float) -> float:
    count = int(4 * guess * call_query.SECONDS)  # a machine that was busy while we guessed may be faster now
    return load.rate(port, _prepared(way, bodies, count), seconds=call_query.SECONDS)


def _prepared(way: Callable[[bytes], bytes], bodies: list[bytes], count: int) -> list[bytes]:
    return [way(bodies[number % len(bodies)]) for number in range(count)]


def _make_key(path: str, algorithm: str) -> tuple[str, SigningKey]:
    """Return another key of the system behind the grant, and its name."""
    from datetime import UTC, datetime, timedelta

    from exchange.models import Credential, Grant

    made = {key.public.algorithm: key for key in map(_read, keyring.new_answer_keys(datetime.now(tz=UTC)))}[algorithm]
    now, system = datetime.now(tz=UTC), Grant.objects.get(uid=path.split("/")[4]).system
    dates = {"valid_from": now - timedelta(days=1), "valid_to": now + timedelta(days=1)}
    Credential.objects.create(system=system, key=f"bench-{algorithm}", algorithm=algorithm, public_key=made.public.der, **dates)
    return f"bench-{algorithm}", made


def _read(entry: dict[str, str]) -> SigningKey:
    return SigningKey.from_pem(entry["private"])


def _signed(key: str, private: SigningKey, path: str, body: bytes) -> bytes:
    digest, stamp, nonce = hashlib.sha256(body).hexdigest(), int(time.time() * 1000), secrets.token_urlsafe(12)
    signature = private.sign(f"POST\n{path}\n{stamp}\n{nonce}\n{digest}".encode())
    told = {"Key": key, "Timestamp": str(stamp), "Nonce": nonce, "Digest": digest}
    return on_the_wire("POST", path, body, told | {"Signature": base64.b64encode(signature).decode()})
