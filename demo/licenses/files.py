"""Sealed files and copies in the demo (演示证照文件): some licenses have their files, some copies were asked for and fetched."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from core.accounts import actor_of
from core.audit import PLATFORM, Actor
from core.models import User
from core.roles import Role
from licenses.models import FileKind, License, LicenseCopy, LicenseState
from licenses.sealing import copies, files, keys

LICENSES: Final = 6
ASKED: Final = (
    ("申请食品安全责任保险", "江苏示例财产保险股份有限公司南京分公司", 30),
    ("办理住房公积金提取", "南京住房公积金管理中心", 7),
    ("投标资格审查", "南京市公共资源交易中心", 14),
)


def prepare_keys(now: datetime) -> int:
    """Make the keys that seal licenses where there are none; return how many were made."""
    return len(keys.prepare(now=now))


def make(now: datetime) -> int:
    """Make files and copies of some licenses in force, once; return how many licenses have files."""
    if LicenseCopy.objects.exists():
        return 0
    found = License.objects.filter(is_current=True, state=LicenseState.VALID).exclude(type_version__layout={})
    chosen = list(found.select_related("type_version").order_by("id")[:LICENSES])
    for license in chosen:
        files.ensure(license, FileKind.PDF, now=now)
        files.ensure(license, FileKind.OFD, now=now)
    for license, (purpose, receiver, days) in zip(chosen, ASKED, strict=False):
        copy = copies.make(license=license, purpose=purpose, receiver=receiver, days=days, actor=_operator(license), now=now)
        copies.fetch(token=copies.token_of(copy), now=now)
    return len(chosen)


def _operator(license: License) -> Actor:
    users = User.objects.select_related("department")
    user = users.filter(department=license.issuer, role_assignments__role=Role.OPERATOR).order_by("pk").first()
    return PLATFORM if user is None else actor_of(user)
