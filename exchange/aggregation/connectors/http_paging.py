"""One page of an interface after the other (接口翻页): asked for within limits of size and time, read, and followed by the next.

Only hosts and ports of the list of allowed ones are asked, no redirect is followed, and a link to the next page must stay where
the first one was: a plan cannot be led into the inner network. The key travels in one header and is sealed like a password.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3
from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from core.errors import Invalid, Unavailable
from exchange.aggregation.connectors.terms import Column, Place
from exchange.sources import pointers
from exchange.sources.hosts import check_url
from exchange.sources.http import parts_of

LARGEST_PAGE: Final = 32 << 20
SECONDS: Final = 60.0  # without a word
PAGE_SECONDS: Final = 300.0  # for a whole page
_ONCE: Final = Retry(total=1, connect=1, read=0, redirect=0, status=0, other=0, raise_on_status=False)
_COUNT: Final = re.compile(r"[0-9]{1,15}")


def first_page(settings: Mapping[str, Any], since: str = "") -> str:
    """Return the address of the first page; `since` goes into the parameter the plan names for it."""
    extra: dict[str, Any] = {}
    if settings.get("paging") == "PAGE_NUMBER":
        extra[str(settings["parameter"])] = _first_number(settings)
    if settings.get("size_parameter"):
        extra[str(settings["size_parameter"])] = int(settings.get("size") or 500)
    if since and settings.get("since_parameter"):
        extra[str(settings["since_parameter"])] = since
    return _with(str(settings["url"]), extra)


def next_page(settings: Mapping[str, Any], url: str, document: Any, number: int) -> str | None:
    """Return the address of the page after this one, the `number`-th; None when there is none."""
    paging = settings.get("paging", "NONE")
    if paging == "NONE" or not rows_of(document, settings):
        return None
    if paging == "PAGE_NUMBER":
        return _replaced(url, str(settings["parameter"]), str(_first_number(settings) + number))
    token = pointers.text_at(document, str(settings["next"]))
    if token is None:
        return None
    if paging == "CURSOR":
        return _replaced(url, str(settings["parameter"]), token)
    try:
        link = urljoin(url, token)
        is_here = urlsplit(link)[:2] == urlsplit(str(settings["url"]))[:2]
    except ValueError:  # no address at all
        is_here = False
    if not is_here:
        raise Invalid("source.link_leads_away", _("接口给出的下一页地址指向另一个主机，已停止读取。"))
    return link


def _first_number(settings: Mapping[str, Any]) -> int:
    """Some interfaces count their pages from nought."""
    first = settings.get("first")
    return 1 if first in (None, "") else int(first)


def page_of(place: Place, url: str) -> Any:
    """Ask for one page and return its JSON; what is wrong with the answer is said without quoting it."""
    check_url(url, "url")
    headers = {"Accept": "application/json"}
    if place.password and place.settings.get("header"):
        headers[str(place.settings["header"])] = place.password
    pool = urllib3.PoolManager(cert_reqs="CERT_REQUIRED", ca_certs=settings.SOURCE_CA_FILE or None)
    deadline = time.monotonic() + PAGE_SECONDS
    try:
        answer = pool.request(
            "GET", url, headers=headers, timeout=Timeout(5, SECONDS), retries=_ONCE, redirect=False, preload_content=False
        )
        content = _content(answer, deadline)
    except (HTTPError, OSError):
        raise Unavailable("source.away", _("数源接口连接不上。")) from None
    except ValueError:  # only what the header carries can be at fault: the address was judged before
        raise Invalid("source.wrong_password", _("密钥中有请求头不能携带的字符，请重新填写密钥。")) from None
    finally:
        pool.clear()
    _check_status(answer.status)
    try:
        return json.loads(content, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        raise Invalid("source.not_json", _("数源接口的应答不是 JSON，请核对地址。")) from None


def _content(answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    parts = bytearray()
    try:
        for part in parts_of(answer, deadline):
            parts += part
            if len(parts) > LARGEST_PAGE:
                said = _("数源接口的一页超过 %(most)s MB，请减小每页条数。")
                raise Invalid("source.page_too_large", said % {"most": LARGEST_PAGE >> 20})
    finally:
        answer.close()
    return bytes(parts)


def _check_status(status: int) -> None:
    if status in (401, 403):
        raise Invalid("source.wrong_password", _("数源接口拒绝访问：密钥不正确或没有权限。"))
    if status == 404:
        raise Invalid("source.table_gone", _("数源接口不存在或已变更，请核对地址。"))
    if status == 429 or status >= 500:
        raise Unavailable("source.away", _("数源接口暂时不可用。"))
    if status != 200:
        raise Invalid("source.refused", _("数源接口拒绝了请求(状态码 %(code)s)。") % {"code": status})


def rows_of(document: Any, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a page; a place that holds no list of objects is Invalid."""
    found = pointers.at(document, str(settings.get("items") or ""))
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Invalid("source.items_missing", _("接口应答中没有找到记录列表，请核对记录位置。"))
    return found


def columns_of(rows: list[dict[str, Any]]) -> tuple[Column, ...]:
    """Return the names of the rows of a page, in order."""
    return tuple(Column(name) for name in dict.fromkeys(name for row in rows for name in row))


def total_of(document: Any, settings: Mapping[str, Any]) -> int | None:
    """Return how many rows the interface says there are, None when it does not."""
    text = pointers.text_at(document, str(settings["total"])) if settings.get("total") else None
    return int(text) if text is not None and _COUNT.fullmatch(text) else None


def _with(url: str, extra: Mapping[str, Any]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(extra)}" if extra else url


def _replaced(url: str, name: str, value: str) -> str:
    """Return the address with one parameter set anew."""
    bare, _mark, query = url.partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] != urlencode({name: ""})[:-1]]
    return _with(f"{bare}{'?' if kept else ''}{'&'.join(kept)}", {name: value})
