"""Saved filters (常用筛选): a name for what somebody filters a page by often; one may be what the page opens with.

Only parameters the page knows are kept, so that a saved filter can never carry anything else into an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import User
from core.texts import visible
from exchange.models import SavedFilter

AT_MOST = 20
LONGEST_NAME = 30
LONGEST_VALUE = 100
KNOWN: Mapping[str, tuple[str, ...]] = {
    "inbox": ("tab", "state", "due", "requester", "q", "grade", "claimed"),
    "list": ("tab", "q", "mode"),
}


def saved(actor: Actor, page: str) -> QuerySet[SavedFilter]:
    """Return the own filters of a page by name."""
    return SavedFilter.objects.filter(user_id=_user_id(actor), page=page).order_by("name", "id")


def default_query(actor: Actor, page: str) -> str:
    """Return what the page opens with, or nothing."""
    return saved(actor, page).filter(is_default=True).values_list("query", flat=True).first() or ""


@transaction.atomic
def save(*, actor: Actor, page: str, name: str, query: str, is_default: bool = False) -> SavedFilter:
    """Keep a filter under a name; the same name again replaces it. The user's row is locked: twenty are twenty."""
    _lock(actor)
    name = name.strip()
    kept = cleaned(page, query)
    faults = {}
    if not visible(name) or len(name) > LONGEST_NAME:
        faults["name"] = _("请填写名称，最多 %(count)s 个字。") % {"count": LONGEST_NAME}
    if not kept:
        faults["query"] = _("请先设定筛选条件，再保存。")
    if faults:
        raise Invalid("saved_filter.invalid", " ".join(faults.values()), faults)
    known = saved(actor, page).filter(name=name).first()
    if known is None and saved(actor, page).count() >= AT_MOST:
        raise Conflict("saved_filter.too_many", _("最多保存 %(count)s 个常用筛选，请先删除不用的。") % {"count": AT_MOST})
    if is_default:
        saved(actor, page).update(is_default=False)
    row = known or SavedFilter(user_id=_user_id(actor), page=page, name=name)
    row.query, row.is_default = kept, is_default
    row.save()
    return row


@transaction.atomic
def set_default(*, actor: Actor, uid: UUID, is_default: bool) -> SavedFilter:
    """Let a page open with this filter, or no longer."""
    _lock(actor)
    row = _own(actor, uid)
    if is_default:
        saved(actor, row.page).update(is_default=False)
    row.is_default = is_default
    row.save(update_fields=["is_default"])
    return row


@transaction.atomic
def forget(*, actor: Actor, uid: UUID) -> SavedFilter:
    """Delete an own filter."""
    _lock(actor)
    row = _own(actor, uid)
    row.delete()
    return row


def cleaned(page: str, query: str) -> str:
    """Return the parameters of a query string that the page knows, each once, none of them long."""
    if page not in KNOWN:
        raise NotFound("saved_filter.page", _("没有这个页面。"))
    given, kept = QueryDict(query), QueryDict(mutable=True)
    for name in KNOWN[page]:
        value = given.get(name, "")
        if value and len(value) <= LONGEST_VALUE and value.isprintable():
            kept[name] = value
    return kept.urlencode()


def _own(actor: Actor, uid: UUID) -> SavedFilter:
    row = SavedFilter.objects.filter(user_id=_user_id(actor), uid=uid).first()
    if row is None:
        raise NotFound("saved_filter.not_found", _("没有这个常用筛选。"))
    return row


def _lock(actor: Actor) -> None:
    list(User.objects.select_for_update().filter(pk=_user_id(actor)))


def _user_id(actor: Actor) -> int:
    if actor.user_id is None:
        raise Forbidden("account.sign_in_required", _("请先登录。"))
    return actor.user_id
