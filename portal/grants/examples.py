"""The copy-and-run example of a grant (调用示例), in shell and in Python, without any secret in it.

The signature itself is checked by `exchange.calls`; a test sends what stands here to it.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from basedb.dictionary import DATASETS
from exchange.models import Credential, Grant

SHELL = """\
KEY='{key}'
SECRET='{secret}'
CALL='{path}'
BODY='{body}'
STAMP=$(date +%s%3N)
NONCE=$(openssl rand -hex 16)
DIGEST=$(printf '%s' "$BODY" | openssl dgst -sha256 -r | cut -d' ' -f1)
SIGNATURE=$(printf 'POST\\n%s\\n%s\\n%s\\n%s' "$CALL" "$STAMP" "$NONCE" "$DIGEST" |
  openssl dgst -{digest} -hmac "$SECRET" -binary | base64 -w0)
curl -sS "{site}$CALL" -H 'Content-Type: application/json' \\
  -H "X-Gov-Key: $KEY" -H "X-Gov-Timestamp: $STAMP" -H "X-Gov-Nonce: $NONCE" \\
  -H "X-Gov-Digest: $DIGEST" -H "X-Gov-Signature: $SIGNATURE" --data-raw "$BODY"
"""

PYTHON = """\
import base64, hashlib, hmac, secrets, time, urllib.request

KEY, SECRET = "{key}", "{secret}"
CALL = "{path}"
body = '{body}'.encode()
stamp, nonce = str(int(time.time() * 1000)), secrets.token_hex(16)
digest = hashlib.sha256(body).hexdigest()
text = "\\n".join(("POST", CALL, stamp, nonce, digest))
signature = base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), "{digest}")).decode()
headers = {{
    "Content-Type": "application/json",
    "X-Gov-Key": KEY,
    "X-Gov-Timestamp": stamp,
    "X-Gov-Nonce": nonce,
    "X-Gov-Digest": digest,
    "X-Gov-Signature": signature,
}}
request = urllib.request.Request("{site}" + CALL, body, headers)
print(urllib.request.urlopen(request).read().decode())
"""


def path_of(grant: Grant) -> str:
    """Return the address of the grant's call below the site."""
    return f"/openapi/v1/calls/{grant.uid}/{grant.mode.lower()}"


def examples(grant: Grant, credential: Credential | None) -> dict[str, str]:
    """Return one signed call as a shell script and as a Python program; the secret has to be put in by the reader."""
    is_sm3 = credential is not None and credential.algorithm == "HMAC-SM3"
    values = {
        "key": credential.key if credential else "<" + _("应用标识") + ">",
        "secret": "<" + _("创建凭证时展示的密钥") + ">",
        "path": path_of(grant),
        "body": _body(grant),
        "digest": "sm3" if is_sm3 else "sha256",
        "site": settings.PUBLIC_URL.rstrip("/"),
    }
    return {"shell": SHELL.format(**values), "python": PYTHON.format(**values)}


def _body(grant: Grant) -> str:
    """Return a body of the right form; the subject is a placeholder that belongs to nobody."""
    dataset = DATASETS.get(grant.resource.binding.dataset)
    key = {dataset.key_field if dataset else "key": "<" + _("要查询的号码") + ">"}
    bodies: dict[str, dict[str, Any]] = {
        "QUERY": {"key": key, "fields": grant.fields},
        "VERIFY": {"key": key, "attributes": dict.fromkeys(grant.fields, "<" + _("待核对的值") + ">")},
        "BULK": {"fields": grant.fields, "format": "csv"},
        "SUBSCRIBE": {"after": None},
    }
    return json.dumps(bodies[grant.mode], ensure_ascii=False)
