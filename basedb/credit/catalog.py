"""Loading versions of the catalogue of public credit information (公共信用信息目录版本): what may be collected from which day.

A version is a JSON document (`basedb/data/credit_catalog.json` shows the form). Loading one ends the version before it on the
same day; records taken in earlier stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from basedb.credit import records
from basedb.dictionary import DATASETS
from basedb.models import CreditCatalogItem, CreditCatalogVersion
from core import audit
from core.audit import PLATFORM, Actor
from core.errors import Conflict, Forbidden, Invalid

LARGEST = 2 * 1024 * 1024
_LENGTHS = {"code": 20, "name": 200, "dataset": 60, "basis": 300}
_CODE = re.compile(DATASETS["credit.permit"].field("item_code").pattern)


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """A version as its file says, checked."""

    code: str
    title: str
    issued_by: str
    effective_from: date
    items: tuple[Mapping[str, str], ...]


def read_file(content: bytes) -> CatalogFile:
    """Read a version; Invalid says what is wrong with the file and where."""
    if len(content) > LARGEST:
        raise _wrong(_("文件超过 2 MB。"))
    try:
        given: Any = json.loads(content.decode("utf-8-sig"))
        head = [_text(given[name]) for name in ("code", "title", "issued_by")]
        effective_from = date.fromisoformat(given["effective_from"])
        lines = list(given["items"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _wrong(_("文件不是目录的 JSON 格式，应有 code、title、issued_by、effective_from 和 items。")) from error
    if not all(head) or len(head[0]) > 40 or max(map(len, head)) > 200 or not lines:
        raise _wrong(_("版本、名称、发布机关和条目都不能为空，版本不超过 40 字，其余不超过 200 字。"))
    items = tuple(_item(line, number) for number, line in enumerate(lines, 1))
    if len({(item["code"], item["dataset"]) for item in items}) != len(items):
        raise _wrong(_("同一数据集内有重复的条目编码。"))
    code, title, issued_by = head
    return CatalogFile(code, title, issued_by, effective_from, items)


@transaction.atomic
def load_version(*, content: bytes, actor: Actor, now: datetime) -> CreditCatalogVersion:
    """Load a version; one that begins no later than a loaded one, or bears its number, raises Conflict."""
    if actor != PLATFORM and not records.is_window(actor):
        raise Forbidden("credit.window_only", _("目录版本由信用窗口（数据主管部门审核员）载入。"))
    given = read_file(content)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('basedb.credit_catalog'))")
    if CreditCatalogVersion.objects.filter(code=given.code).exists():
        raise Conflict("credit_catalog.loaded", _("这个版本已经载入过。"))
    for version in CreditCatalogVersion.objects.select_for_update().filter(effective__upper_inf=True):
        began = version.effective.lower
        if began is not None and began >= given.effective_from:
            raise Conflict("credit_catalog.not_later", _("施行日期须晚于现行版本的施行日期。"))
        version.effective = DateRange(began, given.effective_from)
        version.save()
    made = CreditCatalogVersion.objects.create(
        code=given.code,
        title=given.title,
        issued_by=given.issued_by,
        effective=DateRange(given.effective_from, None),
        loaded_at=now,
        loaded_by_name=actor.name,
    )
    CreditCatalogItem.objects.bulk_create(CreditCatalogItem(version=made, **item) for item in given.items)
    audit.record(actor, "credit_catalog.loaded", made, at=now, version=made.code, items=len(given.items))
    return made


def names_of(codes: Collection[str]) -> dict[str, str]:
    """Return what items are called, as the newest version that has them says."""
    rows = CreditCatalogItem.objects.filter(code__in=codes).order_by("version__effective")
    return dict(rows.values_list("code", "name"))


def _item(line: Any, number: int) -> dict[str, str]:
    if not isinstance(line, dict) or set(line) != set(_LENGTHS):
        raise _wrong(_("第 %(number)s 个条目应有且只有 code、name、dataset、basis。") % {"number": number})
    item = {name: _text(line[name]) for name in _LENGTHS}
    if item["dataset"] not in records.KINDS:
        raise _wrong(_("第 %(number)s 个条目的数据集不存在。") % {"number": number})
    if any(not value or len(value) > _LENGTHS[name] for name, value in item.items()):
        raise _wrong(_("第 %(number)s 个条目有空值或过长的值。") % {"number": number})
    if not _CODE.fullmatch(item["code"]):
        said = _("第 %(number)s 个条目的编码只能含大写字母、数字和点：别的写法在归集时不会被认出。")
        raise _wrong(said % {"number": number})
    return item


def _text(value: Any) -> str:
    """Return a text the database can hold; anything else, also nothing at all, is empty and refused as such."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if "\x00" not in text and text.encode(errors="replace").decode() == text else ""


def _wrong(text: str) -> Invalid:
    return Invalid("credit_catalog.invalid", text, {"file": [text]})
