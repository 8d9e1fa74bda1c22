"""Double submits (重复提交): a token is used once; the second use is answered with what the first one made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core.errors import Conflict
from core.models import Submission


def digest_of(values: Mapping[str, Any]) -> bytes:
    """Return the digest of what was submitted; the same values give the same digest."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str, ensure_ascii=False).encode()).digest()


@transaction.atomic(durable=True)
def once(*, owner: str, token: str, digest: bytes, make: Callable[[], str]) -> tuple[str, bool]:
    """Return the uid that `make` gave for this token and whether it was made just now.

    This is the outermost transaction: `make` calls a process function decorated with plain `@transaction.atomic`. A second
    submit waits for the first one to commit. The same token with other contents raises Conflict.
    """
    submission, is_new = Submission.objects.get_or_create(owner=owner, token=token, defaults={"digest": digest})
    if not is_new:
        if bytes(submission.digest) != digest:
            raise Conflict("submission.reused", _("该提交标识已用于其他内容，请刷新页面后重试。"))
        return submission.result, False
    submission.result = make()
    submission.save(update_fields=["result"])
    return submission.result, True
