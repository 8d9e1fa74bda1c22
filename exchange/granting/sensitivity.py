"""Highly sensitive data (高敏感数据): grade L4 and what is about minors may only be verified, never handed out. Pure.

Asked when a request is written, when its grant is issued, and - in SQL, see `calls.registry` - at every call, since an entry may
become sensitive after the grant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.translation import gettext as _

VERIFY: Final = "VERIFY"
HIGHEST: Final = "L4"

# The same over the catalogue's tables: an entry `r` and the items of a grant `g`.
VERIFY_ONLY_SQL: Final = """(r.grade = 'L4' OR r.concerns_minors OR EXISTS (
    SELECT 1 FROM catalog_dataitem i WHERE i.resource_id = r.id AND i.grade = 'L4' AND i.name = ANY (g.fields)))"""


def is_verify_only(grade: str, *, concerns_minors: bool, item_grades: Iterable[str]) -> bool:
    """Return whether data of an entry and some of its items may only be verified."""
    return concerns_minors or HIGHEST in (grade, *item_grades)


def mode_fault(mode: str, *, is_verify_only: bool) -> str:
    """Return what is wrong with a mode of sharing, or the empty string."""
    if mode == VERIFY or not is_verify_only:
        return ""
    return _("四级（高敏感）数据和涉及未成年人的数据只能比对验证，不返回数据；请改用比对验证，或去掉四级信息项。")
