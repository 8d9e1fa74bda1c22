"""Copies for a purpose (加注件): a sealed PDF with purpose, receiver and date across the page, behind a link that ends.

A copy is good for what it says and for nobody else: it may be checked like any file, and says itself what it is. Its record
stays when the file is gone. Each fetch is counted and is a use of the license. Whoever has the link may fetch; the link is the
copy's name with a code only this node can make, so that the database alone opens none.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Invalid, NotFound
from core.texts import visible
from licenses import uses
from licenses.issuing.signing import ensure_signed
from licenses.models import FileKind, License, LicenseCopy, UseChannel
from licenses.sealing import files, fonts, printed
from licenses.sealing.drawing import Words
from licenses.sealing.page import page_of, sealed
from licenses.types.faults import readable
from licenses.types.layout import MM_PER_POINT, Layout

LONGEST: Final = 100
DAYS_AT_MOST: Final = 90
GRAY: Final = "#5a5a5a"
_SMALL: Final = 7.0
_TURNED: Final = 30.0


@transaction.atomic
def make(*, license: License, purpose: str, receiver: str, days: int, actor: Actor, now: datetime) -> LicenseCopy:
    """Make a copy of a license in force for a purpose and a receiver, its link good for so many days."""
    held = License.objects.select_for_update(of=("self",)).select_related("type_version").get(pk=license.pk)
    _check(held, purpose, receiver, days, now)
    page = page_of(ensure_signed(held), now=now)
    overlay = watermark(page.template.layout, purpose.strip(), receiver.strip(), now)
    content, key = sealed(page, FileKind.PDF, reason=printed.copied_for(purpose.strip()), overlay=overlay)
    copy = LicenseCopy.objects.create(
        license=held,
        purpose=purpose.strip(),
        receiver=receiver.strip(),
        asked_by_id=actor.user_id,
        department_id=actor.department_id,
        sha256=files.store(content),
        size=len(content),
        key=key,
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    audit.record(actor, "license_copy.made", copy, at=now, department_ids=[held.issuer_id], days=days)
    return copy


def token_of(copy: LicenseCopy) -> str:
    """Return what the link of a copy ends in."""
    return _signer().sign(copy.uid.hex)


def find(*, token: str, now: datetime) -> LicenseCopy:
    """Return a copy by its link, for a page that says what it is; NotFound for a wrong link and for one that has ended."""
    return _found(LicenseCopy.objects.select_related("license__type_version"), token, now)


@transaction.atomic
def fetch(*, token: str, now: datetime, actor: Actor | None = None) -> tuple[LicenseCopy, bytes]:
    """Return a copy by its link, counted and recorded as a use; NotFound for a wrong link and for one that has ended."""
    copy = _found(LicenseCopy.objects.select_for_update(of=("self",)).select_related("license__type_version"), token, now)
    content = files.open_file(bytes(copy.sha256))
    LicenseCopy.objects.filter(pk=copy.pk).update(downloads=F("downloads") + 1, downloaded_at=now)
    _record_use(copy, actor, now)
    return copy, content


def copies_of(license: License) -> QuerySet[LicenseCopy]:
    """Return the copies of a license, the newest first."""
    return LicenseCopy.objects.filter(license=license).select_related("asked_by", "department").order_by("-id")


def watermark(layout: Layout, purpose: str, receiver: str, now: datetime) -> list[Words]:
    """Return the lines over the page: one large across it, small ones all over, so that cutting it off leaves some."""
    day = f"{now.astimezone(SHANGHAI):%Y-%m-%d}"
    small = printed.restricted_small(purpose, receiver, day)
    marks = [_across(layout, f"{printed.restricted(purpose, receiver)}　{day}")]
    width = _millimetres(small, _SMALL) + 12
    rise, run = math.sin(math.radians(_TURNED)), math.cos(math.radians(_TURNED))
    row, y = 0, 12.0
    while y < layout.height + layout.width * rise:
        x = -((row % 3) * width / 3)
        while x < layout.width:
            left, baseline = x, y - (x * rise / run)
            if -width * rise < baseline < layout.height + width * rise:
                marks.append(Words(small, left, baseline, _SMALL, False, GRAY, 1.0, _TURNED))
            x += width * run
        row, y = row + 1, y + 26.0
    return marks


def _across(layout: Layout, text: str) -> Words:
    """Return one line from the lower left to the upper right, as large as fits."""
    diagonal = math.hypot(layout.width, layout.height)
    angle = math.degrees(math.atan2(layout.height, layout.width))
    size = min(30.0, 0.86 * diagonal / max(_millimetres(text, 1.0), 1.0))
    length = _millimetres(text, size)
    x = layout.width / 2 - math.cos(math.radians(angle)) * length / 2
    y = layout.height / 2 + math.sin(math.radians(angle)) * length / 2
    return Words(text, x, y, size, True, GRAY, 1.0, round(angle, 2))


def _millimetres(text: str, size: float) -> float:
    return fonts.face(bold=False).width(text) / fonts.EM * size * MM_PER_POINT


def _check(license: License, purpose: str, receiver: str, days: int, now: datetime) -> None:
    wrong = {}
    for field, title, text in (("purpose", _("用途"), purpose), ("receiver", _("接收方"), receiver)):
        if not visible(text) or len(text.strip()) > LONGEST or not readable(text):
            wrong[field] = [_("%(title)s要写明，最多 %(most)d 个字，不含控制字符和换行。") % {"title": title, "most": LONGEST}]
    if not 1 <= days <= DAYS_AT_MOST:
        wrong["days"] = [_("有效期为 1 至 %(most)d 天。") % {"most": DAYS_AT_MOST}]
    if wrong:
        raise Invalid("license_copy.invalid", _("加注件的申请有误，请按所列字段修改。"), wrong)
    fonts.refuse_unprintable({_("用途"): purpose.strip(), _("接收方"): receiver.strip()})
    if not _is_in_force(license, now):
        raise Conflict("license_copy.not_in_force", _("只有有效的证照才能制作加注件；该证照已不是有效的最新版本。"))


def _record_use(copy: LicenseCopy, actor: Actor | None, now: datetime) -> None:
    purpose = printed.used_for(copy.purpose, copy.receiver)
    uses.record_of(copy.license, channel=UseChannel.COPY, actor=actor, purpose=purpose, at=now)


def _found(rows: QuerySet[LicenseCopy], token: str, now: datetime) -> LicenseCopy:
    try:
        copy = rows.filter(uid=UUID(_signer().unsign(token))).first()
    except (BadSignature, ValueError):
        copy = None
    if copy is None:
        raise NotFound("license_copy.not_found", _("没有这个加注件，请核对链接是否完整。"))
    if copy.expires_at <= now:
        ended = copy.expires_at.astimezone(SHANGHAI)
        text = _("该加注件已于 %(end)s 到期，文件已不再提供。如仍需使用，请向证照的持有人或颁发机构重新申请。")
        raise NotFound("license_copy.expired", text % {"end": f"{ended:%Y-%m-%d %H:%M}"}, {"expired_at": ended.isoformat()})
    if not _is_in_force(copy.license, now):
        text = _("该加注件所依据的证照已变更、失效或被收回，文件已不再提供。如仍需使用，请向证照的持有人或颁发机构重新申请。")
        raise NotFound("license_copy.license_ended", text)
    return copy


def _is_in_force(license: License, now: datetime) -> bool:
    today = now.astimezone(SHANGHAI).date()
    return license.valid_from <= today and license.is_live(today)


def _signer() -> Signer:
    return Signer(salt="license-copy", sep=".")
