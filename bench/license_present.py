"""The figure `license.present`: a whole round - code, scan, confirm, read - beside four bare writes over HTTP (`writes`).

One client plays phones and windows alike on kept connections; it signs scan and read as a window's system does. A bare write is a
prepared insert with its commit behind WSGI, without a check. Both are counted in rounds of four requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from django.db import connection

from bench import call_query, frame, load
from bench.links import Answer, Link
from bench.signing import signed

HOLDERS = 2_000
CONNECTIONS = 32
SECONDS = int(os.environ.get("BENCH_SECONDS", "5"))
MATTER = "BENCH-TRANSFER"
TYPE = "11100000000013338W011"
ITEMS = ["license.number", "license.holder_names", "address", "area"]

Round = Callable[[Link, int], Awaitable[None]]


def run() -> Iterable[dict[str, object]]:
    """Yield one line."""
    window = make_grant()
    tokens = make_holders()
    make_table()
    with contextlib.ExitStack() as servers:
        presenting = servers.enter_context(load.serving(load.APPLICATION))
        writing = servers.enter_context(load.serving("bench.yardsticks:write"))
        rounds = {
            "present": partial(_rate, presenting, partial(present, window, tokens)),
            "writes": partial(_rate, writing, write),
        }
        for rate in rounds.values():  # caches, prepared statements; an empty Redis is rebuilt
            with contextlib.suppress(RuntimeError):
                rate(1)
        rates = frame.in_turn({name: partial(rate, SECONDS) for name, rate in rounds.items()})
    yield frame.figure("license.present", rates["present"], "rounds/s", writes=rates["present"] / rates["writes"])


def _rate(port: int, one_round: Round, seconds: int) -> float:
    return asyncio.run(_rounds(port, one_round, seconds))


async def _rounds(port: int, one_round: Round, seconds: int) -> float:
    """Return rounds a second of all connections together; a round that fails is an error."""
    links = [await Link.open("127.0.0.1", port) for _ in range(CONNECTIONS)]
    began, done = time.monotonic(), 0

    async def go_on(link: Link, turn: int) -> None:
        nonlocal done
        while time.monotonic() - began < seconds:
            await one_round(link, turn)
            turn, done = turn + CONNECTIONS, done + 1

    try:
        await asyncio.gather(*(go_on(link, turn) for turn, link in enumerate(links)))
        return done / (time.monotonic() - began)
    finally:
        for link in links:
            link.close()


async def present(window: tuple[str, str, str], tokens: list[str], link: Link, turn: int) -> None:
    """Play one round for one holder."""
    key, secret, grant = window
    cookie = f"Cookie: holder_session={tokens[turn % len(tokens)]}\r\n"
    code = json.loads((await _asked(link, _of_phone("/openapi/v1/holder/codes", b"{}", cookie), 201)).body)
    body = json.dumps({"code": code["code"], "matter": MATTER, "grant": grant}).encode()
    await _asked(link, signed(key, secret, "/openapi/v1/presentations", body), 201)
    await _asked(link, _of_phone(f"/openapi/v1/holder/codes/{code['uid']}/answer", b'{"answer": "confirm"}', cookie), 200)
    body = json.dumps({"grant": grant}).encode()
    read = await _asked(link, signed(key, secret, f"/openapi/v1/presentations/{code['uid']}/read", body), 200)
    if len(json.loads(read.body)["licenses"]) != 1:
        raise RuntimeError("a round handed over something else")


async def write(link: Link, turn: int) -> None:
    """Do four bare writes."""
    for part in range(4):
        body = json.dumps({"number": turn * 4 + part, "text": secrets.token_hex(100)}).encode()
        await _asked(link, _of_phone("/write", body, ""), 200)


async def _asked(link: Link, request: bytes, status: int) -> Answer:
    answer = await link.ask(request)
    if answer.status != status:
        raise RuntimeError(f"{answer.status} instead of {status}: {answer.body[:200]!r}")
    return answer


def _of_phone(path: str, body: bytes, cookie: str) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{cookie}\r\n"
    )
    return head.encode() + body


def make_table() -> None:
    """Make the table bare writes go to, as wide as a code."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_write (id bigserial PRIMARY KEY, number bigint, text text, at timestamptz DEFAULT now())"
        )
        cursor.execute("GRANT SELECT, INSERT ON bench_write TO web")
        cursor.execute("GRANT USAGE ON SEQUENCE bench_write_id_seq TO web")


def make_grant() -> tuple[str, str, str]:
    """Return key and secret of a window's system and its grant, on empty counters."""
    from core.models import User
    from tests import factories
    from tests.hotpath.partner import make_partner
    from tests.licenses import presented

    call_query.forget_counters()
    city = factories.make_city()
    presented.make_type(city.market, code=TYPE, items=ITEMS, matter=MATTER)
    partner = make_partner(city.education)
    user = User.objects.get(username="education_operator")
    quota = {"quota_per_day": 1_000_000_000, "quota_per_second": 1_000_000}
    grant = presented.make_grant(presented.make_resource(city.market), partner.system, user, **quota)
    return partner.key, partner.secret, str(grant.uid)


def make_holders() -> list[str]:
    """Fill the population, give people a license each and open their sessions; return the tokens."""
    from core.models import Department

    call_query.insert_people(Department.objects.get(name="市公安局"))
    market = Department.objects.get(name="市市场监督管理局").pk
    tokens = [secrets.token_urlsafe(32) for _ in range(HOLDERS)]
    digests = [hashlib.sha256(token.encode()).digest() for token in tokens]
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO basedb_license (subject_key, row_key, type_code, identifier, title, number, holder_name, holder_code,
                holder_code_type, issuer, issuer_code, issued_on, valid_from, region_code, license_state, face,
                source_department_id, source_record_id, run_id, version)
            SELECT subject_key, substr(sha256(subject_key), 1, 16), %s, '1.2.156.3005.2.' || id, '测试证照', 'SYN' || id, name,
                citizen_id, '111', '测试机构', '11320100MB0000000X', '2026-01-02', '2026-01-02', region_code, '01',
                '{"address": "测试路", "area": "88.5"}', %s, id, 1, 1 FROM basedb_person""",
            [TYPE, market],
        )
        cursor.execute(
            """INSERT INTO licenses_holdersession (uid, subject_key, subject_kind, person_key, assurance, system_id, system_name,
                ticket_digest, ticket_until, token_digest, created_at, opened_at, expires_at)
            SELECT gen_random_uuid(), p.subject_key, 'PERSON', p.subject_key, 2, 1, 'test', sha256(t.digest), now(), t.digest,
                now(), now(), now() + interval '1 hour'
            FROM unnest(%s::bytea[]) WITH ORDINALITY AS t (digest, place)
            JOIN (SELECT subject_key, row_number() OVER (ORDER BY id) AS place FROM basedb_person) AS p USING (place)""",
            [digests],
        )
        cursor.execute("VACUUM ANALYZE basedb_license, licenses_holdersession, basedb_person")
    return tokens
