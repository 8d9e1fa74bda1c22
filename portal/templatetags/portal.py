"""Small pieces of pages: icons, state badges, deadlines, charts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from basedb.geography.divisions import names_of
from core.texts import listed

register = template.Library()

COLORS = {
    "green": {
        "CONSENTED",
        "PUBLISHED",
        "APPROVED",
        "ACTIVE",
        "SUCCEEDED",
        "ACKNOWLEDGED",
        "REPLAYED",
        "CONFIRMED",
        "FOUND",
        "call.answered",
        "call.closed",
        "VALID",
        "ISSUED",
        "GOOD",
    },
    "blue": {
        "CONFIRMING",
        "SUBMITTED",
        "ENDORSED",
        "CHECKED",
        "CLEARED",
        "RUNNING",
        "CORRECTED",
        "PREPARED",
        "REPORTED",
        "call.opened",
        "TO_SIGN",
        "CHECKING",
        "ISSUING",
    },
    "orange": {
        "NOT_FOUND",
        "NOT_VALID",
        "TO_SUBMIT",
        "RETURNED",
        "ASKED",
        "QUEUED",
        "SUSPENDED",
        "STOPPED",
        "OPEN",
        "DUE",
        "EXPIRED",
    },
    "red": {"REFUSED", "REFUSED_NO_GRANT", "ERROR", "REVOKED", "FAILED", "WITHHELD", "ACTED", "RESCINDED"},
}
COLOR_OF = {state: color for color, states in COLORS.items() for state in states}
SOON_SECONDS = 24 * 3600


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon of the sprite (names: ops/icons.txt); decorative, so hidden from screen readers."""
    sprite = static("vendor/tabler-icons/sprite.svg")
    return format_html('<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', css, sprite, name)


@register.filter
def period(minutes: int) -> str:
    """How often something happens, in the largest unit that fits."""
    for size, one, many in ((1440, _("每天"), _("每 %(n)s 天")), (60, _("每小时"), _("每 %(n)s 小时"))):
        if minutes % size == 0:
            return one if minutes == size else many % {"n": minutes // size}
    return _("每 %(n)s 分钟") % {"n": minutes}


@register.simple_tag
def badge(state: str, label: Any = "") -> SafeString:
    """A state as a colored badge; color is never the only sign, the label always stands in it."""
    color = COLOR_OF.get(str(state), "secondary")
    return format_html('<span class="badge bg-{0}-lt text-{0}-lt-fg" data-state="{1}">{2}</span>', color, state, label or state)


@register.simple_tag
def due(at: datetime | None) -> SafeString | str:
    """A deadline with what is left of it; overdue is said in words."""
    if at is None:
        return "—"
    left = (at - timezone.now()).total_seconds()
    local = timezone.localtime(at)
    is_midnight = (local.hour, local.minute) == (0, 0)  # the end of a day is said as people say it
    when = f"{local - timedelta(days=1):%Y-%m-%d} 24:00" if is_midnight else f"{local:%Y-%m-%d %H:%M}"
    if left < 0:
        days = int(-left // 86400)
        text = ngettext("已逾期 %(days)s 天", "已逾期 %(days)s 天", days) % {"days": days} if days else _("已逾期")
        return format_html('<span class="text-red fw-bold">{} <span class="badge bg-red-lt">{}</span></span>', when, text)
    css = "text-orange" if left < SOON_SECONDS else ""
    return format_html('<span class="{}">{}</span>', css, when)


@register.simple_tag
def chart(name: str, option: dict[str, Any], label: str, height: int = 280) -> SafeString:
    """A chart drawn by ECharts out of a JSON data block (portal/static/portal/charts.js); `label` says what it shows."""
    return format_html(
        '<div class="chart" data-chart="{0}" role="img" aria-label="{1}" style="height:{2}px"></div>{3}',
        name,
        label,
        height,
        json_script(option, name),
    )


@register.filter(name="listed")
def listed_filter(words: Iterable[Any] | None, name: str = "") -> str:
    """Words in a row as the language of the page separates them; with a name that part of each."""
    return listed(_part(word, name) for word in words or ())


def _part(word: Any, name: str) -> Any:
    if not name:
        return word
    return word.get(name, "") if isinstance(word, Mapping) else getattr(word, name)


@register.filter
def division(code: str) -> str:
    """Return a division by its name and code, by its code alone when nobody knows it."""
    name = names_of([code]).get(code)
    return f"{name} {code}" if name else code


@register.filter
def percent_of(part: int | None, whole: int | None) -> int:
    """Return part of whole in percent, 0 when the whole is not known."""
    return min(100, int(100 * (part or 0) / whole)) if whole else 0
