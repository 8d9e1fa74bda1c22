"""Terms of a grant in plain words (授权内容): what each is called, and its value as people read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.masking import MASK_TITLES, Mask
from catalog.models import SharingMode
from core.texts import headed, in_clauses, listed
from exchange.models import AccessRequest, Grant, GrantState, SuspensionGround

TITLES = {
    "state": gettext_lazy("状态"),
    "suspension_ground": gettext_lazy("暂停事由"),
    "put_right_by": gettext_lazy("限期整改"),
    "resource_title": gettext_lazy("信息资源"),
    "system_name": gettext_lazy("使用方系统"),
    "mode": gettext_lazy("共享方式"),
    "purpose": gettext_lazy("使用目的"),
    "fields": gettext_lazy("信息项"),
    "masks": gettext_lazy("脱敏"),
    "region_prefix": gettext_lazy("数据范围"),
    "row_filter": gettext_lazy("行过滤"),
    "client_count": gettext_lazy("服务对象数"),
    "client_digest": gettext_lazy("服务对象清单摘要"),
    "control_parameters": gettext_lazy("管控参数"),
    "matters": gettext_lazy("限定事项"),
    "ip_list": gettext_lazy("来源地址"),
    "quota_per_day": gettext_lazy("日调用量"),
    "quota_per_second": gettext_lazy("每秒调用量"),
    "valid_from": gettext_lazy("生效时间"),
    "valid_to": gettext_lazy("失效时间"),
}
CODES: dict[str, Any] = {
    "state": GrantState.choices,
    "suspension_ground": SuspensionGround.choices,
    "mode": SharingMode.choices,
}
EMPTY = {
    "region_prefix": gettext_lazy("全部"),
    "row_filter": gettext_lazy("不限"),
    "control_parameters": gettext_lazy("没有"),
    "matters": gettext_lazy("不限"),
    "ip_list": gettext_lazy("不限"),
    "masks": gettext_lazy("不脱敏"),
}


def lines_of(terms: Mapping[str, Any], titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return title and words of every term that says something; `titles` are those of the items."""
    said = [(name, words_of(name, terms.get(name), titles)) for name in TITLES]
    return [(str(TITLES[name]), words) for name, words in said if words]


def words_of(term: str, value: Any, titles: Mapping[str, str]) -> str:
    """Return the value of a term in words; nothing for what was never set."""
    if value in (None, "", [], {}, 0):
        return str(EMPTY.get(term, ""))
    if term in CODES:
        return str(dict(CODES[term]).get(value, value))
    if term in WRITERS:
        return WRITERS[term](value, titles)
    return listed(value) if isinstance(value, list) else str(value)


def _moment(value: str, _titles: Mapping[str, str]) -> str:
    return timezone.localtime(datetime.fromisoformat(value)).strftime("%Y-%m-%d %H:%M")


def _items(names: Sequence[str], titles: Mapping[str, str]) -> str:
    return listed(titles.get(name, name) for name in names)


def _masks(masks: Mapping[str, str], titles: Mapping[str, str]) -> str:
    return in_clauses(headed(titles.get(name, name), MASK_TITLES[Mask(mask)]) for name, mask in masks.items())


def _rules(rules: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> str:
    return in_clauses(rule_words(rule, titles) for rule in rules)


def _parameters(parameters: Mapping[str, Sequence[str]], _titles: Mapping[str, str]) -> str:
    return in_clauses(f"{name}={listed(values)}" for name, values in parameters.items())


def rule_words(rule: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """Return one rule of a row filter in words."""
    if rule["kind"] == "own_clients":
        return _("只限使用方登记的服务对象")
    return _("%(item)s为 %(values)s") % {"item": titles.get(rule["item"], rule["item"]), "values": listed(rule["values"])}


def last_day(valid_to: datetime) -> Any:
    """Return the last day a term reaches into."""
    return timezone.localdate(valid_to - timedelta(microseconds=1))


def words_of_limits(said: Grant | AccessRequest, titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return title and words of the limits a grant or a request sets beyond division and the day's quota."""
    names = ("row_filter", "control_parameters", "matters", "ip_list")
    return [(str(TITLES[name]), words_of(name, getattr(said, name), titles)) for name in names]


WRITERS: Mapping[str, Callable[[Any, Mapping[str, str]], str]] = {
    "valid_from": _moment,
    "valid_to": _moment,
    "fields": _items,
    "masks": _masks,
    "row_filter": _rules,
    "control_parameters": _parameters,
}
