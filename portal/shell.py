"""The frame around every page: the menu of a person's roles, the unread count, the warnings of a system administrator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from basedb.geography.boundaries import may_load
from core.audit import Actor
from core.models import Notification
from core.roles import Role
from core.working_days import unannounced_years
from exchange.accesses import may_ask
from exchange.dossiers.opening import may_open
from licenses.recognition.keeping import CENTRE_ROLES, may_keep
from portal.actor import BUSINESS, actor

UNREAD_SHOWN = 99


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu; without roles it is everybody's. `section` marks it current for the section's other pages."""

    name: str
    label: str | Promise
    icon: str
    section: str
    roles: tuple[Role, ...] = ()
    is_for: Callable[[Actor], bool] | None = None  # asked after the roles


MENU = (
    Entry("portal:home", _("首页"), "home", "home"),
    Entry("portal:resource-list", _("数据目录"), "list-search", "resource"),
    Entry("portal:dossier", _("一人一档"), "id-badge", "dossier", BUSINESS, may_open),
    Entry("portal:map", _("地图"), "map-2", "map", BUSINESS),
    Entry("portal:request-list", _("共享申请"), "send", "request", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:basket-detail", _("资源篮"), "package", "basket", (Role.OPERATOR,)),
    Entry("portal:request-inbox", _("待我审批"), "inbox", "request-inbox", BUSINESS),
    Entry("portal:grant-list", _("授权"), "certificate", "grant", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:system-list", _("使用方系统"), "device-desktop", "system", BUSINESS),
    Entry("portal:plan-list", _("数据归集"), "database-import", "plan", BUSINESS),
    Entry("portal:quality-overview", _("数据质量"), "report-analytics", "quality", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:lineage", _("数据血缘"), "sitemap", "lineage", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:source-list", _("数据源"), "database", "source", BUSINESS),
    Entry("portal:national", _("国家规范接入"), "plug-connected", "national", BUSINESS),
    Entry(
        "portal:conflict-list",
        _("校核单"),
        "clipboard-check",
        "conflict",
        (*BUSINESS, Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR),
    ),
    Entry(
        "portal:matching-list",
        _("记录匹配"),
        "users-group",
        "matching",
        (*BUSINESS, Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR),
    ),
    Entry("portal:backflow-list", _("数据回流"), "database-export", "backflow", BUSINESS),
    Entry("portal:call-list", _("调用记录"), "arrows-exchange", "call", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:trace", _("溯源"), "route", "trace", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:subject-accesses", _("谁看过我的数据"), "user-check", "subject-accesses", BUSINESS, may_ask),
    Entry("portal:monitoring", _("运行监测"), "chart-bar", "monitoring", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:alert-list", _("告警"), "alert-triangle", "alert", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:usage-list", _("使用记录"), "notes", "usage", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:disposal-list", _("数据处置"), "trash", "disposal", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:emergency-list", _("应急访问"), "shield-half", "emergency", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:liability-list", _("责任清单"), "list-check", "liability", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:life-event-list", _("生命事件"), "bell", "life-event", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:credit-list", _("信用记录"), "shield-check", "credit", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:credit-repair-list", _("信用修复"), "clipboard-check", "credit-repair", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:credit-shield-list", _("临时屏蔽"), "eye-off", "credit-shield", (Role.REVIEWER, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:license-type-list", _("证照目录"), "book", "license-type"),
    Entry(
        "portal:license-desk", _("证照签发"), "certificate", "license-desk", (Role.OPERATOR, Role.HEAD, Role.AUDIT_ADMINISTRATOR)
    ),
    Entry("portal:license-list", _("已签发证照"), "license", "license", (Role.OPERATOR, Role.HEAD, Role.AUDIT_ADMINISTRATOR)),
    Entry(
        "portal:license-batch-list",
        _("批量签发"),
        "file-import",
        "license-batch",
        (Role.OPERATOR, Role.HEAD, Role.AUDIT_ADMINISTRATOR),
    ),
    Entry(
        "portal:license-review",
        _("证照复核"),
        "report-search",
        "license-review",
        (*BUSINESS, Role.AUDIT_ADMINISTRATOR),
    ),
    Entry("portal:verification", _("证照核验"), "file-check", "verification"),
    Entry(
        "portal:missing-license-list", _("缺失证照"), "file-description", "missing-license", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)
    ),
    Entry("portal:recognition-list", _("跨区域互认"), "network", "recognition", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:matter-list", _("一件事一次办"), "clipboard-list", "matter", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:license-use-list", _("用证记录"), "history", "license-use", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry(
        "portal:license-statistics",
        _("证照统计"),
        "chart-line",
        "license-statistics",
        (*BUSINESS, Role.AUDIT_ADMINISTRATOR),
    ),
    Entry("portal:zone-department", _("数据专区"), "layout-dashboard", "zone", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:thematic-list", _("主题库"), "stack-2", "thematic", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:presenting-scan", _("扫码亮证"), "id-badge", "presenting-scan", (Role.OPERATOR, Role.HEAD)),
    Entry("portal:presenting-blocks", _("停用亮证"), "lock", "presenting-blocks", (Role.REVIEWER,)),
    Entry("portal:presenting-applications", _("可信身份应用"), "shield-check", "presenting-applications", CENTRE_ROLES, may_keep),
    Entry("portal:hold-list", _("法律保全"), "gavel", "hold", (Role.AUDIT_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR)),
    Entry("portal:call-attempts", _("按分钟计数的拒绝"), "arrows-exchange", "call-attempts", (Role.SECURITY_ADMINISTRATOR,)),
    Entry("portal:audit-list", _("审计记录"), "history", "audit", (*BUSINESS, Role.AUDIT_ADMINISTRATOR)),
    Entry("portal:evidence-list", _("存证"), "shield-lock", "evidence", (Role.AUDIT_ADMINISTRATOR,)),
    Entry(
        "portal:boundary-list",
        _("区划界线"),
        "map",
        "boundary",
        (Role.SYSTEM_ADMINISTRATOR, Role.HEAD, Role.REVIEWER),
        may_load,
    ),
    Entry(
        "portal:user-list",
        _("用户"),
        "users",
        "user",
        (Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR),
    ),
    Entry(
        "portal:department-list",
        _("部门"),
        "building",
        "department",
        (Role.SYSTEM_ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR, Role.AUDIT_ADMINISTRATOR),
    ),
)
# Sections that stand together under a heading; it is folded unless the page belongs to it. The first one is always open.
GROUPS = (
    (_("申请与授权"), ("request", "basket", "request-inbox", "grant", "system")),
    (
        _("基础库"),
        (
            "dossier",
            "map",
            "credit",
            "credit-repair",
            "credit-shield",
            "life-event",
            "thematic",
            "zone",
            "quality",
            "lineage",
        ),
    ),
    (
        _("电子证照"),
        (
            "license-desk",
            "license",
            "license-batch",
            "license-review",
            "license-type",
            "presenting-scan",
            "presenting-blocks",
            "presenting-applications",
            "verification",
            "missing-license",
            "recognition",
            "matter",
            "license-use",
            "license-statistics",
        ),
    ),
    (_("归集与接入"), ("plan", "source", "national", "conflict", "matching", "backflow")),
    (_("监测与追溯"), ("call", "trace", "subject-accesses", "monitoring", "alert", "call-attempts", "audit", "evidence")),
    (_("使用与责任"), ("usage", "disposal", "emergency", "liability", "hold")),
    (_("管理"), ("user", "department", "boundary")),
)
# Pages that are reached from another section's and named otherwise: first words of the name -> section.
BESIDE = {
    "authority-rule": "conflict",
    "fusion": "conflict",
    "geometry-source": "boundary",
    "license-draft": "license-desk",
    "license-next": "license-desk",
    "presenting-detail": "presenting-scan",
    "presenting-read": "presenting-scan",
}
SHORT = 8  # a menu up to this length shows everything


def menu(of: Actor, view_name: str) -> list[dict[str, Any]]:
    """Return the menu of an actor in groups; the entry whose section the page belongs to is current."""
    page = view_name.removeprefix("portal:")
    page = next((section for words, section in BESIDE.items() if f"{page}-".startswith(f"{words}-")), page)
    fit = (entry for entry in MENU if not entry.roles or of.has(*entry.roles))
    entries = [entry for entry in fit if entry.is_for is None or entry.is_for(of)]
    fitting = [entry.section for entry in entries if page == entry.section or page.startswith(entry.section + "-")]
    current = max(fitting, key=len, default="")
    shown = {
        entry.section: {"url": reverse(entry.name), "label": entry.label, "icon": entry.icon, "current": entry.section == current}
        for entry in entries
    }
    grouped = {section for _label, sections in GROUPS for section in sections}
    ungrouped: str | Promise = ""
    groups = [(ungrouped, [line for section, line in shown.items() if section not in grouped])]
    for label, sections in GROUPS:
        groups.append((label, [shown[section] for section in sections if section in shown]))
    return [
        {
            "label": label,
            "entries": lines,
            "is_open": number <= 1 or len(shown) <= SHORT or any(line["current"] for line in lines),
        }
        for number, (label, lines) in enumerate(groups)
        if lines
    ]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: everything is asked for only when the template shows it."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated or request.path.startswith("/openapi/"):
        return {}
    view_name = request.resolver_match.view_name if request.resolver_match else ""

    def unread() -> str:
        count = Notification.objects.filter(user=user, read_at=None).order_by()[: UNREAD_SHOWN + 1].count()
        return f"{UNREAD_SHOWN}+" if count > UNREAD_SHOWN else str(count)

    return {
        "actor": once(lambda: actor(request)),
        "does_business": once(lambda: actor(request).has(*BUSINESS)),
        "menu": once(lambda: menu(actor(request), view_name)),
        "unread": once(unread),
        "warnings": once(lambda: warnings(actor(request))),
    }


def once(ask: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function templates may call often; it asks once."""
    return cache(ask)


def warnings(of: Actor) -> list[str]:
    """Return what a system administrator has to look after."""
    if not of.has(Role.SYSTEM_ADMINISTRATOR):
        return []
    text = _("%(year)s 年的节假日安排尚未载入，期限暂按周末计算，请在公布后载入。")
    return [str(text) % {"year": year} for year in unannounced_years(timezone.now())]


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the timeline "who has the ball, until when": state is done, current, waiting or refused."""

    title: str | Promise
    state: str
    who: str = ""
    at: datetime | None = None
    due_at: datetime | None = None
    note: str = ""
