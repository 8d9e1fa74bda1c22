"""What presenting needs to be tried: a type with its rulebook and a use of it, licenses of holders, sessions, the door."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from basedb.models import LegalEntity, License, Person
from catalog.models import Binding, Resource
from core.audit import Actor
from core.models import Department, User
from exchange.models import ConsumerSystem, Grant
from licenses.models import TypeUse, TypeVersion
from licenses.presenting import sessions
from licenses.presenting.holders import Holder, for_person
from licenses.subject_keys import subject_key
from openapi.presenting import application
from tests import factories
from tests.hotpath.partner import Partner, Reply

TYPE = "11100000000013338W011"
MATTER = "HOUSE-TRANSFER"
FACE = {"house_address": "江苏省南京市玄武区测试路1号", "area": "88.5", "co_owner": "李四"}
RULEBOOK = [
    {"name": "house_address", "title": "坐落", "kind": "TEXT", "length": 200, "required": True},
    {"name": "area", "title": "建筑面积", "kind": "NUMBER", "length": 20, "required": True},
    {"name": "co_owner", "title": "共有人", "kind": "TEXT", "length": 50, "required": False},
]
COLUMNS = ["title", "number", "holder_name", "issuer", "valid_to", "license_state", "face"]
ITEMS = ["license.number", "license.holder_names", "house_address", "area"]
_numbers = count(1)


def make_type(department: Department, *, code: str = TYPE, items: Sequence[str] = ITEMS, matter: str = MATTER) -> TypeVersion:
    """Return a published type and publish one use of it for a matter."""
    always = DateRange(date(2020, 1, 1), None)
    version = TypeVersion.objects.create(
        code=code, name="不动产权证书", defining_body="自然资源部", defining_body_code="11100000000013338W", department=department,
        holder_kind="EITHER", validity_kind="UNLIMITED", rulebook=RULEBOOK, state="PUBLISHED", effective=always,
    )  # fmt: skip
    TypeUse.objects.create(
        type_code=code, matter=matter, purpose="转移登记", items=list(items), basis="《不动产登记暂行条例》第二十四条",
        department=department, effective=always,
    )  # fmt: skip
    return version


def make_license(source: Department, holder: Person | LegalEntity, **values: Any) -> License:
    """Return a license of a holder as the city's base database has it."""
    number = next(_numbers)
    code = holder.citizen_id if isinstance(holder, Person) else holder.uscc
    defaults: dict[str, Any] = {
        "type_code": TYPE,
        "title": "不动产权证书",
        "number": f"苏(2026)南京市不动产权第{number:07d}号",
        "holder_name": holder.name,
        "holder_code": code,
        "holder_code_type": "111" if isinstance(holder, Person) else "001",
        "issuer": "市规划和自然资源局",
        "issuer_code": "11320100MB0000000X",
        "issued_on": date(2026, 1, 2),
        "valid_from": date(2026, 1, 2),
        "region_code": "320102",
        "license_state": "01",
        "face": FACE,
        "identifier": f"1.2.156.3005.2.{TYPE}.11320100MB0000000X.{number:011d}.001.X",
    }
    return License.objects.create(
        subject_key=holder.subject_key, row_key=hashlib.sha256(f"presented {number} {code}".encode()).digest()[:16],
        source_department=source, source_record_id=number, run_id=1, version=1, **defaults | values,
    )  # fmt: skip


def make_resource(provider: Department) -> Resource:
    """Return a published resource on the licenses of the city."""
    resource = factories.make_resource(provider, dataset="license.license")
    Binding.objects.filter(resource=resource).update(columns={name: name for name in COLUMNS})
    return resource


def make_grant(resource: Resource, system: ConsumerSystem, user: User, **values: Any) -> Grant:
    """Return a grant to query licenses, the face included."""
    return factories.make_grant(resource, system, user, **{"fields": COLUMNS, "masks": {}, "quota_per_second": 10_000} | values)


def make_entity(department: Department, representative: Person, **values: Any) -> LegalEntity:
    """Return an enterprise with its legal representative."""
    from basedb.identifiers import generate_uscc

    uscc = generate_uscc(next(_numbers), region="990101")
    defaults: dict[str, Any] = {
        "name": f"南京测试{next(_numbers)}有限公司",
        "legal_representative": representative.name,
        "legal_representative_id": representative.citizen_id,
        "region_code": "320102",
        "registration_state": "1",
    }
    return LegalEntity.objects.create(
        uscc=uscc, subject_key=subject_key(uscc), source_department=department, source_record_id=1, run_id=1, **defaults | values
    )


def enter(holder: Holder, now: datetime, *, system_id: int = 1) -> str:
    """Return the token of a session an identity application opened."""
    application_ = Actor(name="省政务服务App")
    ticket, _until = sessions.let_in(holder=holder, assurance=2, system_id=system_id, actor=application_, now=now)
    token, _session = sessions.enter(ticket=ticket, now=now)
    return token


def enter_person(person: Person, now: datetime) -> str:
    """Return the token of a citizen's session."""
    return enter(for_person(citizen_id=person.citizen_id, name=person.name), now)


def post(path: str, body: Any, *, partner: Partner | None = None, token: str = "", **signing: Any) -> Reply:
    """Send a request to the door of presenting: signed by a system, or with a phone's cookie."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = partner.headers(path, raw, **signing) if partner else {}
    return send(path, raw, headers | ({"Cookie": f"holder_session={token}"} if token else {}))


def send(path: str, raw: bytes, headers: dict[str, str]) -> Reply:
    """Hand bytes and headers to the door."""
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(raw)),
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": io.BytesIO(raw),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    started: list[Any] = []
    content = b"".join(application(environ, lambda status, headers: started.extend((status, headers))))
    return Reply(int(started[0][:3]), dict(started[1]), content)


def new_code(token: str, *licenses: License) -> tuple[str, str]:
    """Return text and uid of a code a phone asked for."""
    reply = post("/openapi/v1/holder/codes", {"licenses": [bytes(one.row_key).hex() for one in licenses]}, token=token)
    assert reply.status == 201, reply.body
    return reply.json["code"], reply.json["uid"]


def scan(partner: Partner, grant: Grant, code: str, **values: Any) -> Reply:
    """Let a system scan a code."""
    body = {"code": code, "matter": MATTER, "grant": str(grant.uid)} | values
    return post("/openapi/v1/presentations", body, partner=partner)


def answer(token: str, uid: str, word: str = "confirm", **values: Any) -> Reply:
    """Let the phone answer."""
    return post(f"/openapi/v1/holder/codes/{uid}/answer", {"answer": word} | values, token=token)


def read(partner: Partner, grant: Grant, uid: str) -> Reply:
    """Let the system read."""
    return post(f"/openapi/v1/presentations/{uid}/read", {"grant": str(grant.uid)}, partner=partner)


def later(now: datetime, minutes: int) -> datetime:
    """Return a moment some minutes later."""
    return now + timedelta(minutes=minutes)
