"""What is wrong with a source, in words (接入故障): one stable code and one Chinese sentence a kind of failure.

No sentence quotes an address, a user name or a value: they reach messages, mails and the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError, Invalid, Unavailable

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

AWAY = "source.away"
TIMEOUT = "source.timeout"
_LATER = frozenset({AWAY, TIMEOUT})
_SAID: dict[str, _StrPromise] = {
    AWAY: gettext_lazy("数源数据库连接不上。"),
    TIMEOUT: gettext_lazy("数源查询超时。"),
    "source.wrong_password": gettext_lazy("数源拒绝登录：用户名或口令不正确。"),
    "source.database_gone": gettext_lazy("数源数据库不存在，请核对归集任务的库名。"),
    "source.table_gone": gettext_lazy("数源表不存在或已改名，请核对归集任务的表名。"),
    "source.column_missing": gettext_lazy("数源表缺少已对应的字段，请核对字段对应。"),
    "source.forbidden": gettext_lazy("只读账号没有读取数源表的权限。"),
    "source.encoding": gettext_lazy("数源中有文字与数据库声明的编码不符，无法读取，请与数源部门核对数据库编码。"),
}


def told(code: str) -> DomainError:
    """Return the error of a known code: Unavailable when trying again later may help."""
    return (Unavailable if code in _LATER else Invalid)(code, str(_SAID[code]))


def by_code(codes: Sequence[str], meant: Mapping[str, str]) -> DomainError:
    """Return the error of the first of a driver's codes that is known; without any code the source is away."""
    known = next((meant[code] for code in codes if code in meant), "")
    if known:
        return told(known)
    return refused_query(codes[0]) if codes else told(AWAY)


def refused_query(number: str) -> Invalid:
    """Return the error for a failure nobody has a sentence for."""
    return Invalid("source.refused", _("数源拒绝了查询(错误码 %(code)s)。") % {"code": number or "-"})


def driver_missing(title: str, extra: str) -> Invalid:
    """Return the error for a database whose driver is not installed; names the extra to install."""
    said = _("平台没有安装%(title)s的驱动，请管理员安装可选组件「%(extra)s」后再试（见归集文档）。")
    return Invalid("connector.driver_missing", said % {"title": title, "extra": extra}, {"extra": extra})
