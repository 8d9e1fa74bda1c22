"""Choose whom to be (演示): what a real identity application does after it has checked a face, this page does without checking.

It signs its request with the key of its system and is answered by the very door that answers any application.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from basedb.models import LegalEntity, Person
from demo.licenses.agents import acting
from demo.licenses.presenting import IDENTITY, citizens, enterprises
from openapi.presenting import application

PATH = "/openapi/v1/holder-sessions"
HASHES = {"HMAC-SHA256": "sha256", "HMAC-SM3": "sm3"}


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Let one choose a citizen or an enterprise of the demo and open their code."""
    people, entities = citizens(), enterprises()
    told = ""
    if request.method == "POST":
        chosen = _chosen(request.POST.get("who", ""), people, entities)
        status, answer = _asked(chosen) if chosen else (404, {})
        if status == 201:
            return redirect(urlsplit(answer["url"]).path)
        told = str(answer.get("message", ""))
    context = {"people": people, "entities": entities, "agents": acting(), "told": told}
    return render(request, "demo/identity.html", context, status=422 if request.method == "POST" else 200)


def _chosen(who: str, people: list[Any], entities: list[Any]) -> dict[str, Any] | None:
    kind, _separator, number = who.partition(":")
    if not number.isdecimal():
        return None
    if kind == "agent":
        agent = next(((e, p) for row, e, p in acting() if row.pk == int(number)), None)
        return _for_enterprise(*agent) if agent else None
    if kind == "person":
        person = next((p for p in people if p.pk == int(number)), None)
        return {"holder": {"citizen_id": person.citizen_id, "name": person.name}} if person else None
    entity, boss = next(((e, b) for e, b in entities if e.pk == int(number)), (None, None))
    if entity is None or boss is None:
        return None
    return _for_enterprise(entity, boss)


def _for_enterprise(entity: LegalEntity, person: Person) -> dict[str, Any]:
    return {"holder": {"uscc": entity.uscc, "name": entity.name}, "agent": {"citizen_id": person.citizen_id, "name": person.name}}


def _asked(chosen: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Sign the request as the application and hand it to the door."""
    record = settings.ENV.run_dir / "demo.json"
    known = json.loads(record.read_text())["systems"] if record.exists() else []
    system = next((s for s in known if s["name"] == IDENTITY), None)
    if system is None:
        return 404, {}
    body = json.dumps(chosen | {"assurance": 3}, ensure_ascii=False).encode()
    digest, stamp, nonce = hashlib.sha256(body).hexdigest(), int(time.time() * 1000), secrets.token_urlsafe(16)
    text = f"POST\n{PATH}\n{stamp}\n{nonce}\n{digest}".encode()
    signature = hmac.digest(system["secret"].encode(), text, HASHES[system["algorithm"]])
    started: list[Any] = []
    answer = application(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": PATH,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "HTTP_X_GOV_KEY": system["key"],
            "HTTP_X_GOV_TIMESTAMP": str(stamp),
            "HTTP_X_GOV_NONCE": nonce,
            "HTTP_X_GOV_DIGEST": digest,
            "HTTP_X_GOV_SIGNATURE": base64.b64encode(signature).decode(),
        },
        lambda status, headers: started.append(status),
    )
    return int(started[0][:3]), json.loads(b"".join(answer))
