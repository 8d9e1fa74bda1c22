"""The copy-and-run example of a grant (调用示例), in shell, Python and Java, without any secret in it.

The programs stand in `samples`, the signature is checked by `exchange.calls`; tests run what stands on the page against it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _

from exchange.descriptions import key_name_of
from exchange.models import Credential, Grant
from portal.grants.samples import JAVA, JAVA_HMAC_SHA256, JAVA_HMAC_SM3, PYTHON, SHELL

HMACS: Final = ("HMAC-SHA256", "HMAC-SM3")


def quoted(text: str) -> str:
    """Return a text literal of Python and of Java: JSON is one in both."""
    return json.dumps(text, ensure_ascii=False)


# language -> its name, how it is run, its program, how it writes a text
LANGUAGES: Final[Mapping[str, tuple[str, str, str, Callable[[str], str]]]] = MappingProxyType(
    {
        "shell": ("curl", "sh call.sh", SHELL, shlex.quote),
        "python": ("Python", "python3 call.py", PYTHON, quoted),
        "java": ("Java", "java Call.java", JAVA, quoted),
    }
)


def path_of(grant: Grant) -> str:
    """Return the address of the grant's call below the site."""
    return f"/openapi/v1/calls/{grant.uid}/{grant.mode.lower()}"


def examples(grant: Grant, credential: Credential | None) -> dict[str, str]:
    """Return one signed call in each language; the secret has to be put in by the reader."""
    is_sm3 = credential is not None and credential.algorithm == "HMAC-SM3"
    known = credential is not None and credential.algorithm in HMACS
    values = {
        "key": credential.key if credential and known else "<" + _("应用标识") + ">",
        "secret": "<" + _("创建凭证时展示的密钥") + ">",
        "path": path_of(grant),
        "body": _body(grant),
        "site": settings.PUBLIC_URL.rstrip("/"),
    }
    fixed = {"digest": "sm3" if is_sm3 else "sha256", "hmac": JAVA_HMAC_SM3 if is_sm3 else JAVA_HMAC_SHA256}
    return {
        language: program.format(**{name: write(text) for name, text in values.items()}, **fixed)
        for language, (_name, _run, program, write) in LANGUAGES.items()
    }


def _body(grant: Grant) -> str:
    """Return a body of the right form; the subject is a placeholder that belongs to nobody."""
    key = {key_name_of(grant.resource): "<" + _("要查询的号码") + ">"}
    bodies: dict[str, dict[str, Any]] = {
        "QUERY": {"key": key, "fields": grant.fields},
        "VERIFY": {"key": key, "attributes": dict.fromkeys(grant.fields, "<" + _("待核对的值") + ">")},
        "BULK": {"fields": grant.fields, "format": "csv"},
        "SUBSCRIBE": {"after": None},
    }
    body = bodies[grant.mode]
    if grant.matters:
        body["context"] = {"matter": grant.matters[0]}
    if grant.control_parameters:
        body["parameters"] = {name: allowed[0] for name, allowed in grant.control_parameters.items()}
    return json.dumps(body, ensure_ascii=False)
