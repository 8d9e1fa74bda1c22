"""Where the platform may connect to (外联白名单): hosts and networks named in the settings, nothing by default.

A listed name is trusted with whatever address it has; an address must lie in a listed network.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import Invalid


def is_allowed(host: str) -> bool:
    """Return whether the platform may connect to a host."""
    host = host.strip("[]").lower()
    if host in settings.SOURCE_HOSTS:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return any("/" in entry and address in ip_network(entry) for entry in settings.SOURCE_HOSTS)


def check_host(host: str, field: str) -> None:
    """Raise Invalid when the platform may not connect there."""
    if not is_allowed(host):
        fault = _("该主机不在外联白名单内，请系统管理员在 SOURCE_HOSTS 中登记后再试。")
        raise Invalid("source.host_not_allowed", fault, {field: fault})
