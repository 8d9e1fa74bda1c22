"""Registering sources (数据源登记): a department's tables and interfaces from above, changed, tested and switched off.

A department registers its own; the data centre's reviewers see all and may test and switch off any. What is typed in is
checked whole and told at once. Passwords are entered, sealed and never shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.crypto import SealBroken
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.roles import Role
from core.texts import bracketed, listed
from exchange.calls.refusals import Refusal
from exchange.models import SourceConnection, TableKind, UpstreamAccount, UpstreamInterface
from exchange.querysets import is_auditor, is_reviewer
from exchange.requests.request_terms import text_fault
from exchange.sources import places, pointers
from exchange.sources.guard import Failed
from exchange.sources.hosts import check_host, check_url, is_address
from exchange.sources.interfaces import UpstreamCall
from exchange.sources.secrets import put_secret
from exchange.sources.tables import DepartmentTable

Row = TypeVar("Row", SourceConnection, UpstreamInterface, UpstreamAccount)
NOUNS: Final[Mapping[type, str]] = {SourceConnection: "source_connection", UpstreamInterface: "upstream_interface"}
COLUMNS_AT_MOST: Final = 100
NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
PLACES: Final = frozenset({"body", "query"})


def connections_visible_to(actor: Actor) -> QuerySet[SourceConnection]:
    """Return the tables of the own department; all for overseers."""
    return _visible(SourceConnection.objects.select_related("department"), actor)


def interfaces_visible_to(actor: Actor) -> QuerySet[UpstreamInterface]:
    """Return the interfaces of the own department; all for overseers."""
    return _visible(UpstreamInterface.objects.select_related("department", "account"), actor)


def accounts_visible_to(actor: Actor) -> QuerySet[UpstreamAccount]:
    """Return the accounts of the own department; all for overseers."""
    return _visible(UpstreamAccount.objects.select_related("department"), actor)


def _visible(rows: QuerySet[Row], actor: Actor) -> QuerySet[Row]:
    if is_reviewer(actor) or is_auditor(actor):
        return rows
    works = actor.has(Role.OPERATOR, Role.HEAD)
    return rows.filter(department_id=actor.department_id) if works and actor.department_id is not None else rows.none()


def may_register(actor: Actor) -> bool:
    """Return whether the actor registers sources of the own department."""
    return actor.department_id is not None and (actor.has(Role.OPERATOR) or is_reviewer(actor))


def may_manage(source: SourceConnection | UpstreamInterface | UpstreamAccount, actor: Actor) -> bool:
    """Return whether the actor looks after a source."""
    return may_register(actor) and source.department_id == actor.department_id


@transaction.atomic
def register_connection(*, values: Mapping[str, Any], password: str, actor: Actor, now: datetime) -> SourceConnection:
    """Register a table of the own department and the read-only account to read it with."""
    row = SourceConnection(department_id=_own_department(actor), **values)
    _check_connection(row)
    if not password:
        fault = _("请填写只读账号的口令。")
        raise Invalid("source.invalid", fault, {"password": fault})
    put_secret(row, password)
    return _saved(row, actor, now)


@transaction.atomic
def register_interface(*, values: Mapping[str, Any], actor: Actor, now: datetime) -> UpstreamInterface:
    """Register an interface above for the own department."""
    row = UpstreamInterface(department_id=_own_department(actor), **values)
    if row.account is not None and row.account.department_id != row.department_id:
        raise Invalid("source.invalid", _("请选择本部门登记的账号。"), {"account": _("请选择本部门登记的账号。")})
    _check_interface(row)
    return _saved(row, actor, now)


def _saved(row: Row, actor: Actor, now: datetime) -> Row:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        taken = _("本部门已有同名登记。")
        raise Conflict("source.title_taken", taken, {"title": taken}) from None
    audit.record(actor, f"{NOUNS[type(row)]}.registered", row, at=now, department_ids=[row.department_id])
    return row


def _own_department(actor: Actor) -> int:
    if not may_register(actor) or actor.department_id is None:
        raise Forbidden("source.not_yours", _("数据源由部门经办人或数据中心登记。"))
    return actor.department_id


@transaction.atomic
def change_password(*, uid: UUID, password: str, actor: Actor, now: datetime) -> SourceConnection:
    """Enter another password; the next call logs in with it."""
    row = managed(connections_visible_to(actor), uid, actor)
    if not password:
        fault = _("请填写只读账号的口令。")
        raise Invalid("source.invalid", fault, {"password": fault})
    put_secret(row, password)
    row.revision += 1
    row.save()
    audit.record(actor, "source_connection.password_changed", row, at=now, department_ids=[row.department_id])
    return row


@transaction.atomic
def switch(*, uid: UUID, is_active: bool, actor: Actor, now: datetime) -> SourceConnection | UpstreamInterface:
    """Take a source out of use or into it again; calls on it are refused from the next few seconds on."""
    row = find(uid, actor, is_locked=True)
    if not may_manage(row, actor) and not is_reviewer(actor):
        raise Forbidden("source.not_yours", _("数据源由登记部门或数据中心停用。"))
    row.is_active = is_active
    row.revision += 1
    row.save(update_fields=["is_active", "revision", "updated_at"])
    event = "enabled" if is_active else "disabled"
    audit.record(actor, f"{NOUNS[type(row)]}.{event}", row, at=now, department_ids=[row.department_id])
    return row


def find(uid: UUID, actor: Actor, *, is_locked: bool = False) -> SourceConnection | UpstreamInterface:
    """Return a visible source of either kind."""
    for rows in (connections_visible_to(actor), interfaces_visible_to(actor)):
        found = (rows.select_for_update(of=("self",)) if is_locked else rows).filter(uid=uid).first()
        if found is not None:
            return found
    raise NotFound("source.not_found", _("没有这个数据源，或您无权查看。"))


def check_manager(uid: UUID, actor: Actor) -> None:
    """Raise what keeps the actor from looking after a table, before anything is typed in."""
    row = connections_visible_to(actor).filter(uid=uid).first()
    if row is None:
        raise NotFound("source.not_found", _("没有这个数据源，或您无权查看。"))
    if not may_manage(row, actor):
        raise Forbidden("source.not_yours", _("数据源由登记部门维护。"))


def managed(rows: QuerySet[Row], uid: UUID, actor: Actor) -> Row:
    """Return a visible row locked, when the actor looks after it."""
    row = rows.select_for_update(of=("self",)).filter(uid=uid).first()
    if row is None:
        raise NotFound("source.not_found", _("没有这个数据源，或您无权查看。"))
    if not may_manage(row, actor):
        raise Forbidden("source.not_yours", _("数据源由登记部门维护。"))
    return row


def test(*, uid: UUID, actor: Actor, now: datetime) -> bool:
    """Try a source as it is registered and keep what came of it; nothing about people is asked for."""
    source = find(uid, actor)
    if not may_manage(source, actor) and not is_reviewer(actor):
        raise Forbidden("source.not_yours", _("数据源由登记部门或数据中心测试。"))
    outcome, is_good = _tried(source, now)
    source.tested_at, source.test_outcome = now, outcome[:200]
    with transaction.atomic():
        source.save(update_fields=["tested_at", "test_outcome"])
        audit.record(actor, f"{NOUNS[type(source)]}.tested", source, at=now, department_ids=[source.department_id], ok=is_good)
    return is_good


def _tried(source: SourceConnection | UpstreamInterface, now: datetime) -> tuple[str, bool]:
    try:
        if isinstance(source, SourceConnection):
            return _columns_told(source, DepartmentTable(places.table_of(source).place).columns())  # type: ignore[arg-type]
        UpstreamCall(places.interface_of(source, now).place).knock()  # type: ignore[arg-type]
    except (Refusal, Failed) as error:
        refusal = error.refusal if isinstance(error, Failed) else error
        return bracketed(refusal.verdict.message, listed(refusal.details.values()) or refusal.code), False
    except SealBroken:
        return _("保存的口令无法解封，请重新填写。"), False
    return _("上级接口已应答。"), True


def _columns_told(source: SourceConnection, found: list[str]) -> tuple[str, bool]:
    wanted = [source.key_column, source.region_column, *(column["name"] for column in source.columns)]
    missing = [name for name in dict.fromkeys(wanted) if name and name not in found]
    if missing:
        return _("已连接，但缺少字段：%(names)s") % {"names": listed(missing)}, False
    return _("已连接，%(count)s 个登记字段都在。") % {"count": len(source.columns)}, True


def _check_connection(row: SourceConnection) -> None:
    found = _common_faults(row)
    if row.kind not in TableKind.values:
        found["kind"] = _("请选择数据库类型。")
    if not 0 < row.port < 65536:
        found["port"] = _("端口应在 1 至 65535 之间。")
    for name in ("database", "username", "table", "key_column"):
        if not NAME.fullmatch(getattr(row, name)):
            found[name] = _("此项必填，最多 64 个字。")
    _raise(found)
    check_host(row.host, "host", row.port)


def _check_interface(row: UpstreamInterface) -> None:
    found = _common_faults(row)
    if not is_address(row.url):
        found["url"] = _("请填写以 http:// 或 https:// 开头、不含账号的地址。")
    if row.account is not None and row.account.auth == "NATIONAL" and not row.sid:
        found["sid"] = _("国家规范的接口须填写服务编码。")
    wrong = [
        column["name"] for column in row.columns if not pointers.is_pointer(column.get("pointer", "")) or not column["pointer"]
    ]
    if wrong:
        found["columns"] = _("应答位置须为 JSON 指针，例如 /data/xm：%(names)s") % {"names": listed(wrong)}
    for name, part in row.request_map.items():
        if part.get("in") not in PLACES:
            found["request_map"] = _("参数“%(name)s”的位置只能是 body 或 query。") % {"name": name}
        elif part["in"] == "query" and part.get("from") == "key" and row.key_kind == "CITIZEN_ID":
            found["request_map"] = _("公民身份号码不得放在地址中，请改用正文传递。")
    _raise(found)
    check_url(row.url, "url")


def _common_faults(row: SourceConnection | UpstreamInterface) -> dict[str, str]:
    found = {}
    if fault := text_fault(row.title, longest=100, may_have_lines=False):
        found["title"] = fault
    if not 100 <= row.timeout_ms <= 10_000:
        found["timeout_ms"] = _("超时应在 100 至 10000 毫秒之间。")
    if not 1 <= row.at_once <= 8:
        found["at_once"] = _("同时调用上限应在 1 至 8 之间。")
    names = [column.get("name", "") for column in row.columns]
    if not names or len(names) > COLUMNS_AT_MOST or len(set(names)) != len(names) or not all(map(NAME.fullmatch, names)):
        found["columns"] = _("请填写 1 至 100 个不重复的字段，每行一个。")
    return found


def _raise(found: Mapping[str, str]) -> None:
    if found:
        raise Invalid("source.invalid", _("数据源登记有误，请一并修改。"), found)
