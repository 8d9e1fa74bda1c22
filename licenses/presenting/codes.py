"""Codes as their holder handles them (亮证码): shown for 90 seconds, answered for three minutes once scanned.

Every function takes the session's token and lets one statement decide; what it refused is explained here. Orders go alone unless
the door sends them together. Scanning and reading are the exchange's, which knows systems and grants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from basedb.models import License
from core.errors import Conflict, DomainError, Invalid, NotFound
from core.ids import uuid7
from core.texts import listed
from licenses.models import PresentingCode, PresentingTry
from licenses.presenting import sessions
from licenses.presenting.code_text import digest_of, new_code
from licenses.presenting.orders import NewCode, Reply, Until, make_codes, take_replies
from licenses.presenting.running import through_django
from licenses.presenting.sessions import Session
from licenses.presenting.workflow import Command, Standing, decide

CHOSEN_AT_MOST: Final = 20


def make_alone(order: NewCode) -> Until:
    """Make one code on Django's connection."""
    return make_codes([order], through_django)[0]


def reply_alone(order: Reply) -> Until:
    """Take one answer on Django's connection."""
    return take_replies([order], through_django)[0]


def create(
    *, token: str, chosen: Sequence[str], now: datetime, make: Callable[[NewCode], Until] = make_alone
) -> tuple[str, UUID, datetime]:
    """Return the text of a new code, its uid and until when a desk may scan it; `chosen` are rows of own licenses, none = all."""
    if len(chosen) > CHOSEN_AT_MOST or not all(len(row) == 32 and set(row) <= set("0123456789abcdef") for row in chosen):
        text = _("所选证照不正确，请重新选择。")
        raise Invalid("presenting.chosen", text, {"licenses": [text]})
    code = new_code()
    order = NewCode(token, uuid7(), digest_of(code), tuple(chosen), now)
    until = make(order)
    if until is None:
        sessions.find(token=token, now=now)  # says why when the session is over
        raise Conflict("presenting.too_many_codes", _("十分钟内生成的亮证码过多，请稍后再试。"))
    return code, order.uid, until


def confirm(
    *,
    token: str,
    uid: UUID,
    given: Mapping[str, Sequence[str]] | None,
    now: datetime,
    reply: Callable[[Reply], Until] = reply_alone,
) -> datetime:
    """Agree to what a desk asks: to all of it, or per row of a license to the named items. Returns until when it may be read."""
    told = None if given is None else _checked(token, uid, given, now)
    until = reply(Reply(token, uid, Command.CONFIRM, told, now))
    if until is None:
        raise _explained(Command.CONFIRM, token, uid, now)
    return until


def refuse(*, token: str, uid: UUID, now: datetime, reply: Callable[[Reply], Until] = reply_alone) -> None:
    """Say no to what a desk asks; nothing is handed over."""
    if reply(Reply(token, uid, Command.REFUSE, None, now)) is None:
        raise _explained(Command.REFUSE, token, uid, now)


def own_code(*, session: Session, uid: UUID) -> PresentingCode:
    """Return a code of this session."""
    code = PresentingCode.objects.filter(uid=uid, session_id=session.id).first()
    if code is None:
        raise NotFound("presenting.code_not_found", _("没有这个亮证码，或它不属于您。"))
    return code


def standing_of(code: PresentingCode) -> Standing:
    """Return what deciding needs to know of a code."""
    return Standing(code.state, code.expires_at, code.answer_until, code.read_until)


def own_licenses(session: Session, chosen: Sequence[str]) -> list[License]:
    """Return the licenses of the session's holder among some rows."""
    keys = [bytes.fromhex(row) for row in chosen]
    return list(License.objects.filter(subject_key=session.subject_key, row_key__in=keys))


def recent_tries(session: Session) -> list[PresentingTry]:
    """Return the refused scans of the holder's codes, the newest first."""
    return list(PresentingTry.objects.filter(subject_key=session.subject_key).order_by("-at")[:5])


def _checked(token: str, uid: UUID, given: Mapping[str, Sequence[str]], now: datetime) -> list[dict[str, Any]]:
    """Return the part of what was asked that is agreed to; what is asked never changes once scanned: reading it first is safe."""
    code = own_code(session=sessions.find(token=token, now=now), uid=uid)
    asked = {one["row"]: one for one in code.asked}
    unknown = set(given) - set(asked)
    chosen = []
    for row, names in given.items():
        items = {item["name"]: item for item in asked.get(row, {}).get("items", [])}
        missing = [item["title"] for name, item in items.items() if item.get("required") and name not in names]
        if missing:
            text = _("以下为必需的信息项，出示这本证照时不能去掉：%(items)s") % {"items": listed(missing)}
            raise Invalid("presenting.item_required", text, {"items": [text]})
        unknown |= set(names) - set(items)
        chosen.append({"row": row, "items": [name for name in items if name in names]})
    if unknown:
        text = _("只能在窗口请求的范围内选择。")
        raise Invalid("presenting.not_asked", text, {"items": [text]})
    return chosen


def _explained(command: Command, token: str, uid: UUID, now: datetime) -> DomainError:
    """Return why an answer was not taken."""
    code = own_code(session=sessions.find(token=token, now=now), uid=uid)
    messages = {
        "presenting.code_blocked": _("该亮证码已停用。"),
        "presenting.answer_late": _("确认期限已过，没有提供任何信息。请重新出示亮证码。"),
        "presenting.not_scanned": _("窗口尚未扫码，请稍候。"),
        "presenting.already_answered": _("您已答复过，答复不能更改。"),
    }
    why = decide(command, standing_of(code), now) or "presenting.already_answered"
    return Conflict(why, messages[why])
