"""What a license type is besides its face (类型基本信息): code, name, defining body, holders, validity. Pure, but for `of`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.texts import visible
from licenses.types.faults import Fault, readable

if TYPE_CHECKING:
    from licenses.models import TypeVersion

CODE_PATTERN = "[0-9A-Z]{18}[0-9]{3}"
HOLDER_KINDS = ("PERSON", "LEGAL_ENTITY", "EITHER")
VALIDITY_KINDS = ("UNLIMITED", "MONTHS", "STATED")
MOST_HOLDERS = 50
LONGEST_VALIDITY = 1200
TITLES: Mapping[str, Any] = {
    "code": gettext_lazy("证照类型代码"),
    "name": gettext_lazy("证照类型名称"),
    "defining_body": gettext_lazy("定义机构"),
    "defining_body_code": gettext_lazy("定义机构代码"),
    "holder_kind": gettext_lazy("持证主体类型"),
    "holders_at_most": gettext_lazy("持证主体数上限"),
    "is_repeatable": gettext_lazy("同一主体可持有多份"),
    "validity_kind": gettext_lazy("有效期规则"),
    "validity_months": gettext_lazy("有效期（月）"),
}

_CODE = re.compile(CODE_PATTERN)


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """The head of a type. The code is 18 characters of the defining body and a serial of three (GB/T 36902).

    `is_repeatable`: a holder may hold several, one a house, a vehicle, a shop; of any other type a holder has one live license.
    """

    code: str
    name: str
    defining_body: str
    defining_body_code: str
    holder_kind: str
    holders_at_most: int = 1
    validity_kind: str = "STATED"
    validity_months: int | None = None
    is_repeatable: bool = False

    @classmethod
    def of(cls, version: TypeVersion) -> TypeFacts:
        """Return the facts of a version."""
        return cls(**{field.name: getattr(version, field.name) for field in fields(cls)})

    def to_json(self) -> dict[str, Any]:
        """Return the facts by their names."""
        return asdict(self)

    def faults(self) -> list[Fault]:
        """Return everything wrong with the facts."""
        found = [*self._faults_of_code(), *self._faults_of_words()]
        if self.holder_kind not in HOLDER_KINDS:
            found.append(Fault("holder_kind", "choice.unknown", _("请从列表中选择持证主体类型。")))
        if not 1 <= self.holders_at_most <= MOST_HOLDERS:
            text = _("持证主体数上限应在 1 到 %(most)d 之间。") % {"most": MOST_HOLDERS}
            found.append(Fault("holders_at_most", "number.wrong", text))
        if self.validity_kind not in VALIDITY_KINDS:
            found.append(Fault("validity_kind", "choice.unknown", _("请从列表中选择有效期规则。")))
        elif self.validity_kind == "MONTHS" and not 1 <= (self.validity_months or 0) <= LONGEST_VALIDITY:
            text = _("按月计算有效期时要写明月数，1 到 %(most)d。") % {"most": LONGEST_VALIDITY}
            found.append(Fault("validity_months", "validity.months_missing", text))
        elif self.validity_kind != "MONTHS" and self.validity_months is not None:
            found.append(Fault("validity_months", "validity.months_unused", _("只有按月计算有效期时才填月数，请清空。")))
        return found

    def _faults_of_code(self) -> list[Fault]:
        if not _CODE.fullmatch(self.code):
            text = _("证照类型代码应为 21 位：定义机构的 18 位代码（数字和大写字母）加 3 位数字顺序号。")
            return [Fault("code", "code.form", text)]
        if self.code[:18] != self.defining_body_code:
            text = _("证照类型代码的前 18 位应与定义机构代码 %(code)s 相同。") % {"code": self.defining_body_code or "—"}
            return [Fault("code", "code.other_body", text)]
        return []

    def _faults_of_words(self) -> list[Fault]:
        found = []
        for name, most in (("name", 200), ("defining_body", 200), ("defining_body_code", 18)):
            value: str = getattr(self, name)
            if not visible(value):
                found.append(Fault(name, "text.missing", _("此项必填。")))
            elif len(value) > most or not readable(value):
                found.append(Fault(name, "text.too_long", _("最多 %(most)d 个字，不能含有控制字符。") % {"most": most}))
        return found
