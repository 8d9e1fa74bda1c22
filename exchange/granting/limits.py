"""Limits of use (限制条件) of a request or a grant: which rows, control parameters, matters, addresses, calls a second.

Pure: what may be written down, in one standard form. Which of two sets of terms is the stricter is in `narrowing`; the
call path enforces what stands in the grant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final

from django.utils.translation import gettext as _

MAX_QUOTA_PER_SECOND: Final = 10_000
ADDRESSES_AT_MOST: Final = 50
MATTERS_AT_MOST: Final = 50
PARAMETERS_AT_MOST: Final = 10
RULES_AT_MOST: Final = 5
VALUES_AT_MOST: Final = 200
MATTER: Final = re.compile("[A-Za-z0-9_-]{1,40}")  # as calls name it in context.matter
PARAMETER: Final = re.compile("[a-z][a-z0-9_]{0,39}")

Network = IPv4Network | IPv6Network
Rule = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits as typed in. Rules of the row filter hold together (AND): {"kind": "own_clients"} and
    {"kind": "list", "item": ..., "values": [...]}; the division stands apart as `region_prefix`."""

    row_filter: Sequence[Rule] = ()
    control_parameters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    matters: Sequence[str] = ()
    ip_list: Sequence[str] = ()
    quota_per_second: int = 100

    def columns(self) -> dict[str, Any]:
        """Return the limits as they are stored; call it on limits without faults."""
        return {
            "row_filter": [dict(rule) for rule in self.row_filter],
            "control_parameters": {name: list(values) for name, values in self.control_parameters.items()},
            "matters": list(self.matters),
            "ip_list": [str(network) for network in networks(self.ip_list)],
            "quota_per_second": self.quota_per_second,
        }


def limit_faults(limits: Limits, listable: Collection[str]) -> dict[str, str]:
    """Return limit -> what is wrong with it. `listable` are the items of the resource that hold texts or codes."""
    checks: dict[str, Callable[[], str]] = {
        "row_filter": lambda: _row_fault(limits.row_filter, listable),
        "control_parameters": lambda: _parameter_fault(limits.control_parameters),
        "matters": lambda: _matter_fault(limits.matters),
        "ip_list": lambda: address_fault(limits.ip_list),
        "quota_per_second": lambda: _quota_fault(limits.quota_per_second),
    }
    return {name: fault for name, check in checks.items() if (fault := check())}


def networks(addresses: Iterable[str]) -> list[Network]:
    """Return addresses and networks as networks; ValueError for what is neither."""
    return [ip_network(address.strip()) for address in addresses]


def address_fault(addresses: Sequence[str]) -> str:
    """Return what is wrong with a list of addresses, or the empty string."""
    if len(addresses) > ADDRESSES_AT_MOST:
        return _("来源地址最多 %(most)s 条。") % {"most": ADDRESSES_AT_MOST}
    try:
        found = networks(addresses)
    except ValueError:
        return _("来源地址须为 IP 地址，或写成“地址/前缀长度”的网段。")
    if any(network.prefixlen == 0 for network in found):
        return _("不限来源地址时请留空，不要填写包含全部地址的网段。")
    return _("来源地址重复。") if len(set(found)) != len(found) else ""


def is_plain(value: object) -> bool:
    """Return whether something is a text one can see, without blanks around it, of at most a hundred characters."""
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isprintable() and value == value.strip()


def _are_values(values: object) -> bool:
    if not isinstance(values, list | tuple) or not 0 < len(values) <= VALUES_AT_MOST:
        return False
    return all(is_plain(value) for value in values) and len(set(values)) == len(values)


def _row_fault(rules: Sequence[Rule], listable: Collection[str]) -> str:
    if len(rules) > RULES_AT_MOST:
        return _("行过滤最多 %(most)s 条。") % {"most": RULES_AT_MOST}
    subjects = [rule.get("item", "") if rule.get("kind") == "list" else rule.get("kind") for rule in rules]
    if len(set(map(str, subjects))) != len(subjects):
        return _("行过滤中同一信息项只能出现一次。")
    return next((fault for fault in (_rule_fault(rule, listable) for rule in rules) if fault), "")


def _rule_fault(rule: Rule, listable: Collection[str]) -> str:
    if dict(rule) == {"kind": "own_clients"}:
        return ""
    if rule.get("kind") != "list" or set(rule) != {"kind", "item", "values"}:
        return _("行过滤只有两种：本部门服务对象，或某一信息项取值在清单之内。")
    if rule["item"] not in listable:
        return _("行过滤的信息项须是该资源可共享的文本或代码类信息项。")
    if not _are_values(rule["values"]):
        return _("行过滤的取值清单须有 1 至 %(most)s 个互不相同的值。") % {"most": VALUES_AT_MOST}
    return ""


def _parameter_fault(parameters: Mapping[str, Sequence[str]]) -> str:
    if len(parameters) > PARAMETERS_AT_MOST:
        return _("管控参数最多 %(most)s 个。") % {"most": PARAMETERS_AT_MOST}
    if not all(PARAMETER.fullmatch(name) for name in parameters):
        return _("管控参数名须以小写字母开头，只含小写字母、数字和下划线，最长 40 个字符。")
    if not all(_are_values(values) for values in parameters.values()):
        return _("每个管控参数须有 1 至 %(most)s 个互不相同的允许取值。") % {"most": VALUES_AT_MOST}
    return ""


def _matter_fault(matters: Sequence[str]) -> str:
    if len(matters) > MATTERS_AT_MOST:
        return _("事项最多 %(most)s 个。") % {"most": MATTERS_AT_MOST}
    if not all(MATTER.fullmatch(matter) for matter in matters) or len(set(matters)) != len(matters):
        return _("事项编码只含字母、数字、下划线和连字符，最长 40 个字符，不得重复。")
    return ""


def _quota_fault(quota: int) -> str:
    if 1 <= quota <= MAX_QUOTA_PER_SECOND:
        return ""
    return _("每秒调用量应在 1 至 %(most)s 之间。") % {"most": MAX_QUOTA_PER_SECOND}
