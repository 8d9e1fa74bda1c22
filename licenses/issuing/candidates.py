"""What is to become a license (待签发证照), judged without asking the base databases: holders, dates, number, face. Pure.

A draft and a row of a batch are read into the same `Candidate`; who is known, alive and without such a license is `checking`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.utils.translation import gettext as _

from basedb.identifiers import DIVISION_PATTERN
from core.texts import visible
from licenses import subject_keys
from licenses.models import HolderKind, TypeState, TypeVersion, ValidityKind
from licenses.types.faults import Fault, readable
from licenses.types.rulebook import Rulebook

PERSON, ENTITY = subject_keys.PERSON, subject_keys.ENTITY
KINDS_OF: Final = {
    HolderKind.PERSON: (PERSON,),
    HolderKind.LEGAL_ENTITY: (ENTITY,),
    HolderKind.EITHER: (PERSON, ENTITY),
}
LONGEST_NAME: Final = 200
MOST_FACE: Final = 7_500  # the base database takes 8,000 characters of JSON
AHEAD: Final = timedelta(days=366)
_NUMBER = re.compile(r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{0,98}[^\s\x00-\x1f\x7f])?")
_DIVISION = re.compile(DIVISION_PATTERN)


@dataclass(frozen=True, slots=True)
class Holder:
    """A holder whose code is in its standard writing; no key when the code is wrong."""

    name: str
    code: str
    code_type: str
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A license to be. `place` is the row of its batch; an empty number is filled from the serial when it is issued."""

    place: int
    holders: tuple[Holder, ...]
    number: str
    region_code: str
    face: Mapping[str, str]
    valid_from: date
    valid_to: date | None
    has_paper: bool = False


def read(values: Mapping[str, Any], version: TypeVersion, *, place: int, today: date) -> tuple[Candidate, list[Fault]]:
    """Read what was delivered and everything wrong with its form; dates may be texts, `holders` a list of objects."""
    faults: list[Fault] = []
    starts = _day(values.get("valid_from"), "valid_from", faults) or today
    ends = _end(values, starts, version, faults)
    given_face = values.get("face") or {}
    face = given_face if isinstance(given_face, Mapping) else {}
    if not isinstance(given_face, Mapping):
        faults.append(Fault("face", "face.not_an_object", _("照面数据应为名称与值的集合。")))
    candidate = Candidate(
        place=place,
        holders=tuple(_holders(values.get("holders"), version, faults)),
        number=_text(values.get("number")),
        region_code=_text(values.get("region_code")),
        face={
            str(name): value.strip() if isinstance(value, str) else value for name, value in face.items() if value not in ("", None)
        },
        valid_from=starts,
        valid_to=ends,
        has_paper=values.get("has_paper") is True,
    )
    return candidate, faults + own_faults(candidate, today=today)


def version_fault(version: TypeVersion, *, today: date) -> Fault | None:
    """Return what keeps a version of a type from being issued under today."""
    effective = version.effective
    if version.state == TypeState.DRAFT or effective is None or not _holds(effective, today):
        text = _("证照类型“%(name)s”第 %(number)s 版今天不在施行期内，不能签发，请改用现行版本。")
        return Fault("type_version", "type.not_in_force", text % {"name": version.name, "number": version.number})
    return None


def own_faults(candidate: Candidate, *, today: date) -> list[Fault]:
    """Return what is wrong with dates, number and division."""
    faults = []
    if candidate.valid_to is not None and candidate.valid_to < candidate.valid_from:
        faults.append(Fault("valid_to", "validity.reversed", _("有效期止早于有效期起，请核对两个日期。")))
    elif candidate.valid_to is not None and candidate.valid_to < today:
        faults.append(Fault("valid_to", "validity.over", _("有效期已经届满，不能签发已过期的证照。")))
    if candidate.valid_from > today + AHEAD:
        faults.append(Fault("valid_from", "validity.too_far", _("有效期起晚于一年之后，请核对日期。")))
    if candidate.number and not _NUMBER.fullmatch(candidate.number):
        faults.append(Fault("number", "number.form", _("证照编号最多 100 个字，首尾不能有空格，不能含控制字符。")))
    if not _DIVISION.fullmatch(candidate.region_code):
        faults.append(Fault("region_code", "region.form", _("管辖属地应为 6、9 或 12 位区划代码。")))
    return faults


def face_faults(candidate: Candidate, rulebook: Rulebook) -> list[Fault]:
    """Return what is wrong with the face; fields are named `face.<item>`."""
    faults = [Fault(f"face.{fault.field}", fault.code, fault.message) for fault in rulebook.faults(candidate.face)]
    if sum(len(name) + len(str(value)) + 6 for name, value in candidate.face.items()) > MOST_FACE:
        faults.append(Fault("face", "face.too_long", _("照面数据合计最多 %(most)d 个字。") % {"most": MOST_FACE}))
    return faults


def _holds(effective: Any, day: date) -> bool:
    return (effective.lower is None or effective.lower <= day) and (effective.upper is None or day < effective.upper)


def _holders(given: Any, version: TypeVersion, faults: list[Fault]) -> list[Holder]:
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        faults.append(Fault("holders", "holder.missing", _("请填写持证主体。")))
        return []
    if len(given) > version.holders_at_most:
        text = _("这类证照最多 %(most)d 个持证主体，现有 %(count)d 个。")
        faults.append(Fault("holders", "holder.too_many", text % {"most": version.holders_at_most, "count": len(given)}))
        return []
    holders = [_holder(one, version, number, faults) for number, one in enumerate(given, start=1)]
    keys = [holder.key for holder in holders if holder.key]
    if len(set(keys)) < len(keys):
        faults.append(Fault("holders", "holder.twice", _("同一持证主体填写了两次。")))
    return holders


def _holder(given: Any, version: TypeVersion, number: int, faults: list[Fault]) -> Holder:
    values = given if isinstance(given, Mapping) else {}
    name, typed = _text(values.get("name")), _text(values.get("code"))
    kinds = KINDS_OF[HolderKind(version.holder_kind)]
    code_type = _text(values.get("code_type")) or _kind_of(typed, kinds)
    is_plain = bool(name) and name.isprintable()  # nearly always; the other two look at every character
    if not (is_plain or (visible(name) and readable(name))) or len(name) > LONGEST_NAME:
        faults.append(Fault(f"holders[{number}].name", "holder.name", _("请填写持证主体名称，最多 200 个字。")))
    if code_type not in kinds:
        text = _("这类证照不发给该类主体：持证主体须为%(kind)s。") % {"kind": HolderKind(version.holder_kind).label}
        faults.append(Fault(f"holders[{number}].code", "holder.kind", text))
        return Holder(name, typed, code_type)
    try:
        code = subject_keys.written(code_type, typed)
    except ValueError:
        what = _("公民身份号码") if code_type == PERSON else _("统一社会信用代码")
        text = _("持证主体代码不是有效的%(what)s（位数或校验位不对），请核对证件。") % {"what": what}
        faults.append(Fault(f"holders[{number}].code", "holder.code_invalid", text))
        return Holder(name, typed, code_type)
    return Holder(name, code, code_type, subject_keys.subject_key(code))


def _kind_of(typed: str, kinds: Sequence[str]) -> str:
    """Return which kind of code was typed where none is named; the first possible one when it is neither."""
    if len(kinds) == 1:
        return kinds[0]
    found = subject_keys.key_of(typed)
    return found[0] if found else kinds[0]


def _end(values: Mapping[str, Any], starts: date, version: TypeVersion, faults: list[Fault]) -> date | None:
    """Return the last day: stated, or as the type's rule has it when nothing is stated."""
    stated = _day(values.get("valid_to"), "valid_to", faults)
    if version.validity_kind == ValidityKind.UNLIMITED:
        if stated is not None:
            faults.append(Fault("valid_to", "validity.unlimited", _("这类证照长期有效，不填有效期止。")))
        return None
    if version.validity_kind == ValidityKind.MONTHS and stated is None and version.validity_months:
        try:
            return last_day(starts, version.validity_months)
        except ValueError:  # after the last year there is; that it starts too far ahead is told by `own_faults`
            return None
    if stated is None and not any(fault.field == "valid_to" for fault in faults):
        faults.append(Fault("valid_to", "validity.missing", _("这类证照须逐证写明有效期止。")))
    return stated


def last_day(starts: date, months: int) -> date:
    """Return the last day of a validity of some months: the day before the same day, or the month's end where there is none."""
    year, month = divmod(starts.month - 1 + months, 12)
    first = date(starts.year + year, month + 1, 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    same_day = min(starts.day, (following - first).days)
    return first + timedelta(days=same_day - 2) if same_day == starts.day else following - timedelta(days=1)


def _day(given: Any, field: str, faults: list[Fault]) -> date | None:
    if given is None or given == "":
        return None
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given).strip().replace("/", "-"))
    except ValueError:
        faults.append(Fault(field, "date.invalid", _("请填写有效的日期，例如 2026-01-31。")))
        return None


def _text(given: Any) -> str:
    return given.strip() if isinstance(given, str) else ""
