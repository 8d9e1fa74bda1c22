"""Idempotency-Key (幂等键): a client that repeats a creating request gets what the first one made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.request import Request

from core.errors import Invalid
from core.submissions import digest_of, once
from openapi.authentication import actor

HEADER = "Idempotency-Key"
FORM = re.compile(r"[\x21-\x7e]{1,64}")


def create_once(request: Request, values: Mapping[str, Any], make: Callable[[], str]) -> tuple[str, bool]:
    """Return the uid that `make` gave and whether it was made just now.

    Without the header every request creates. `make` calls a process function decorated with plain `@transaction.atomic`.
    """
    key = request.headers.get(HEADER)
    if key is None:
        with transaction.atomic(durable=True):
            return make(), True
    if not FORM.fullmatch(key):
        text = _("须为 1 至 64 位可见 ASCII 字符。")
        raise Invalid("request.idempotency_key_invalid", _("幂等键无效。"), {HEADER: [text]})
    return once(owner=f"user:{actor(request).user_id}", token=key, digest=digest_of(values), make=make)
