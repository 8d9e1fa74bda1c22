"""Where the platform may connect to (外联白名单): hosts and networks named in the settings, nothing by default.

A listed name is trusted with whatever address it has; an address must lie in a listed network. An entry without a port lets
databases be reached at any, interfaces at the usual ports of the web alone; `name:8443` lets exactly that one, `name:*` any.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import Invalid

WEB_PORTS: Final = {"http": 80, "https": 443}
_ENTRY: Final = re.compile(r"(?P<name>[^:]+|\[[^\]]+\](?:/\d+)?)(?::(?P<port>\d{1,5}|\*))?")


def is_allowed(host: str, port: int | None = None) -> bool:
    """Return whether the platform may connect to a host, be it that only one port of it is listed."""
    return any(_covers(name, host) and listed in ("", "*", str(port)) for name, listed in map(_read, settings.SOURCE_HOSTS))


def is_address(url: str) -> bool:
    """Return whether a text is a whole address of an interface, without an account and without a fragment."""
    try:
        place = urlsplit(url)
    except ValueError:
        return False
    return place.scheme in WEB_PORTS and bool(place.hostname) and not (place.username or place.password or place.fragment)


def is_url_allowed(url: str) -> bool:
    """Return whether the platform may ask an interface at an address."""
    try:
        place = urlsplit(url)
        port = place.port or WEB_PORTS.get(place.scheme, 0)
    except ValueError:
        return False
    usual = "" if port in WEB_PORTS.values() else None
    host = place.hostname or ""
    return any(_covers(name, host) and listed in (usual, "*", str(port)) for name, listed in map(_read, settings.SOURCE_HOSTS))


def check_host(host: str, field: str, port: int | None = None) -> None:
    """Raise Invalid when the platform may not connect there."""
    if not is_allowed(host, port):
        raise _refused(field)


def check_url(url: str, field: str) -> None:
    """Raise Invalid when the platform may not ask there."""
    if not is_url_allowed(url):
        raise _refused(field)


def _refused(field: str) -> Invalid:
    fault = _("该主机或端口不在外联白名单内，请系统管理员在 SOURCE_HOSTS 中登记后再试。")
    return Invalid("source.host_not_allowed", fault, {field: fault})


def _read(entry: str) -> tuple[str, str]:
    """Return name and port of an entry; an IPv6 address without brackets has no port."""
    found = _ENTRY.fullmatch(entry)
    return (found["name"], found["port"] or "") if found else (entry, "")


def _covers(name: str, host: str) -> bool:
    name, host = name.replace("[", "").replace("]", ""), host.strip("[]").lower()
    if name == host:
        return True
    try:
        return "/" in name and ip_address(host) in ip_network(name)
    except ValueError:
        return False
