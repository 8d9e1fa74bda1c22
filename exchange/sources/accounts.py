"""Our accounts at platforms above (上级平台账号): registering them and rotating their secrets by dates.

A secret is entered once, sealed and never shown. A new one begins at its own time; the one before ends when told, so that both
live while the platform above changes over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.errors import Conflict, Forbidden, Invalid
from exchange.models import AccountAuth, HeaderFamily, UpstreamAccount, UpstreamSecret
from exchange.national.requesters import RID, SID
from exchange.requests.request_terms import text_fault
from exchange.sources.hosts import check_url, is_address
from exchange.sources.registering import accounts_visible_to, managed, may_register
from exchange.sources.secrets import put_secret

HEADER: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
SECRET: Final = re.compile(r"[\x21-\x7e]{8,200}")
LIVE_AT_MOST: Final = 2


@transaction.atomic
def register(*, values: Mapping[str, Any], secret: str, actor: Actor, now: datetime) -> UpstreamAccount:
    """Register an account of the own department with its first secret."""
    if actor.department_id is None or not may_register(actor):
        raise Forbidden("source.not_yours", _("数据源由部门经办人或数据中心登记。"))
    row = UpstreamAccount(department_id=actor.department_id, **values)
    _check(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        taken = _("本部门已有同名登记。")
        raise Conflict("source.title_taken", taken, {"title": taken}) from None
    _enter(row, secret, now, actor)
    audit.record(actor, "upstream_account.registered", row, at=now, department_ids=[row.department_id], auth=row.auth)
    return row


@transaction.atomic
def rotate(
    *, uid: UUID, secret: str, begins_at: datetime, old_ends_at: datetime | None, actor: Actor, now: datetime
) -> UpstreamSecret:
    """Enter the next secret; those before it end when told, at the latest when it begins if nothing is told."""
    row = managed(accounts_visible_to(actor), uid, actor)
    begins_at = max(begins_at, now)
    ends_at = old_ends_at or begins_at
    if ends_at < begins_at:
        fault = _("旧密钥不能在新密钥生效之前失效。")
        raise Invalid("source.invalid", fault, {"old_ends_at": fault})
    live = row.secrets.select_for_update().filter(Q(valid_to=None) | Q(valid_to__gt=now))
    if live.count() >= LIVE_AT_MOST:
        raise Conflict("source.too_many_secrets", _("已有 2 个有效密钥，请等旧密钥到期后再更换。"))
    live.update(valid_to=ends_at)
    entered = _enter(row, secret, begins_at, actor)
    owners = [row.department_id]
    said = {"begins_at": begins_at.isoformat(), "old_ends_at": ends_at.isoformat()}
    audit.record(actor, "upstream_account.secret_rotated", row, at=now, department_ids=owners, **said)
    return entered


def _enter(row: UpstreamAccount, secret: str, begins_at: datetime, actor: Actor) -> UpstreamSecret:
    if not SECRET.fullmatch(secret):
        fault = _("密钥须为 8 至 200 位可见的英文字符。")
        raise Invalid("source.invalid", fault, {"secret": fault})
    entered = UpstreamSecret(account=row, valid_from=begins_at, entered_by_id=actor.user_id)
    put_secret(entered, secret)
    entered.save()
    return entered


def _check(row: UpstreamAccount) -> None:
    found = {}
    if fault := text_fault(row.title, longest=100, may_have_lines=False):
        found["title"] = fault
    if row.auth not in AccountAuth.values:
        found["auth"] = _("请选择认证方式。")
    if row.auth == AccountAuth.HEADER and not HEADER.fullmatch(row.header_name):
        found["header_name"] = _("请填写请求头的名称，例如 X-Api-Key。")
    if row.auth == AccountAuth.NATIONAL:
        if row.family not in HeaderFamily.values:
            found["family"] = _("请选择接口规范。")
        if not RID.fullmatch(row.rid):
            found["rid"] = _("请求者标识须为 4 至 64 位字母、数字或 _ @ . -。")
        if not SID.fullmatch(row.refresh_sid):
            found["refresh_sid"] = _("服务编码须为 4 至 64 位字母、数字或 _ . -。")
        if not is_address(row.refresh_url):
            found["refresh_url"] = _("请填写以 http:// 或 https:// 开头、不含账号的地址。")
    if found:
        raise Invalid("source.invalid", _("数据源登记有误，请一并修改。"), found)
    if row.auth == AccountAuth.NATIONAL:
        check_url(row.refresh_url, "refresh_url")
