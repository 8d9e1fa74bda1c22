"""Signatures a batch left for later (补签): the SM2 signature over the data of a license whose digest stands already.

A license whose data no longer give its digest is not signed: somebody changed it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext as _

from core.crypto import same, sm3
from core.errors import Conflict
from licenses.models import KeyPurpose, License
from licenses.sealing import keys
from licenses.sealing.canonical import canonical, data_of

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
AT_ONCE: Final = 50


def sign_pending(*, until: datetime, clock: Clock) -> int:
    """Sign what is not signed until the time is over; return how many. Workers at the same work leave each other's alone."""
    signed, after = 0, 0
    while clock() < until:
        done, after = _sign_some(after)
        signed += done
        if not after:
            break
    return signed


@transaction.atomic
def _sign_some(after: int) -> tuple[int, int]:
    """Sign some licenses; return how many and the last one looked at, 0 when there was none."""
    rows = License.objects.select_for_update(skip_locked=True, of=("self",)).select_related("type_version")
    found = list(rows.filter(signature=None, pk__gt=after).order_by("pk").prefetch_related("holders")[:AT_ONCE])
    right = [(license, content) for license in found if (content := _content(license)) is not None]
    if right:
        signatures = keys.sign_many(KeyPurpose.DATA, [content for _license, content in right])
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE licenses_license l SET signature = u.signature, key_id = u.key_id"
                " FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[]) AS u (id, signature, key_id) WHERE l.id = u.id",
                [[one.pk for one, _c in right], [signature for signature, _k in signatures], [key.pk for _s, key in signatures]],
            )
    return len(right), found[-1].pk if found else 0


@transaction.atomic
def ensure_signed(license: License) -> License:
    """Return a license with its signature, made now if a batch left it out; Conflict when its data do not give its digest."""
    if license.signature is None:
        held = License.objects.select_for_update(of=("self",)).select_related("type_version").get(pk=license.pk)
        if held.signature is None:
            content = _content(held)
            if content is None:
                text = _("证照的数据与签发时的摘要不一致，已停止签名和制作文件。请联系系统管理员核查。")
                raise Conflict("license.data_altered", text)
            held.signature, held.key = keys.sign(KeyPurpose.DATA, content)
            held.save(update_fields=["signature", "key"])
        license.signature, license.key = held.signature, held.key
    return license


def _content(license: License) -> bytes | None:
    """Return what is signed of a license; None, and a word in the log, when somebody changed it."""
    content = canonical(data_of(license))
    if same(sm3(content), bytes(license.digest)):
        return content
    log.error("license %s: its data do not give its digest, it is not signed", license.uid)
    return None
