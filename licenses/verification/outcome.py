"""What a verification comes to (核验结论): three fragments, each valid, invalid or unknown, with a stable code and its evidence.

One table of codes, so that page, REST and documentation cannot disagree. No personal data; a holder's name only masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop


class State(StrEnum):
    """What a fragment says."""

    VALID = "VALID"
    INVALID = "INVALID"
    UNKNOWN = "UNKNOWN"


_YES, _NO, _MAYBE = State.VALID, State.INVALID, State.UNKNOWN

VERDICTS: Final[Mapping[str, tuple[State, str]]] = MappingProxyType(
    {
        "integrity.not_examined": (
            _MAYBE,
            gettext_noop("只核对了证照标识，没有核验文件；如持有证照文件，请上传文件，核验内容是否被改动。"),
        ),
        "integrity.not_signed_yet": (
            _MAYBE,
            gettext_noop("证照是批量签发的，数据签名正在补签，暂时不能核验内容是否被改动，请过几分钟再核验。"),
        ),
        "integrity.check_character": (
            _NO,
            gettext_noop("证照标识的校验位不符，标识可能是伪造的，或抄录有误，请对照证照重新输入。"),
        ),
        "integrity.check_character_on_record": (
            _MAYBE,
            gettext_noop("证照标识的校验位不符，但归集的证照登记的正是这个标识，可能是颁发机构编码有误，请向颁发机构核实。"),
        ),
        "integrity.other_license": (_NO, gettext_noop("二维码中的清单位置不是这件证照的，二维码可能是伪造的。")),
        "status.valid": (_YES, gettext_noop("证照有效。")),
        "status.suspended": (_NO, gettext_noop("证照已被暂扣，暂扣期间不能使用。")),
        "status.rescinded": (_NO, gettext_noop("证照已被撤销。")),
        "status.cancelled": (_NO, gettext_noop("证照已注销。")),
        "status.lapsed": (_NO, gettext_noop("证照已失效。")),
        "status.expired": (_NO, gettext_noop("证照有效期已过。")),
        "status.not_yet_valid": (_NO, gettext_noop("证照有效期尚未开始。")),
        "status.moved_away": (_NO, gettext_noop("证照已办理转出，请向转入地核实。")),
        "status.revoked": (_NO, gettext_noop("证照已被吊销。")),
        "status.superseded": (_NO, gettext_noop("这是旧版本，已被第 %(version)s 版取代，请使用新版本。")),
        "status.other": (_NO, gettext_noop("颁发机构已登记为其他状态，不能按有效证照使用。")),
        "status.copy_expired": (_NO, gettext_noop("这是为特定用途制作的加注件，已过使用期限，请持证人另行提供。")),
        "status.withdrawn": (_NO, gettext_noop("颁发机构已撤回这件证照的数据，请向颁发机构核实。")),
        "status.never_issued": (_NO, gettext_noop("颁发机构在本平台签发此类证照，但没有签发过这件证照，证照可能是伪造的。")),
        "status.unknown_license": (_MAYBE, gettext_noop("本平台没有这件证照的记录，不能判断是否有效，请向颁发机构核实。")),
        "status.foreign": (_MAYBE, gettext_noop("这是其他地区颁发的证照，本平台没有它的状态，请由办事部门通过跨区域互认核验。")),
        "status.not_found": (_MAYBE, gettext_noop("没有从文件中读出证照标识，不能查询状态。")),
        "issuer.key_in_force": (_YES, gettext_noop("由登记的颁发机构签发，签名密钥在用。")),
        "issuer.key_retired": (_YES, gettext_noop("由登记的颁发机构签发；签名密钥后来已停用，停用前的签名仍然有效。")),
        "issuer.key_compromised_later": (
            _YES,
            gettext_noop("由登记的颁发机构签发；签名密钥后来失密，签发在失密之前并有存证，仍然有效。"),
        ),
        "issuer.key_compromised": (_NO, gettext_noop("签名密钥在签发时已经失密，签名不可信，请向颁发机构核实。")),
        "issuer.key_not_in_force": (_NO, gettext_noop("签名密钥在签发时不在用，签名不可信，请向颁发机构核实。")),
        "issuer.on_record": (_YES, gettext_noop("由颁发机构归集到全市证照库；本平台不持有该机构的签名密钥。")),
        "issuer.not_entrusted": (_NO, gettext_noop("颁发机构在颁发之日不在这类证照的签发机构之列，请向该机构和类型维护部门核实。")),
        "issuer.not_listed": (_MAYBE, gettext_noop("颁发机构在颁发之日不在本平台登记的这类证照签发机构之列，请向颁发机构核实。")),
        "issuer.registered": (_MAYBE, gettext_noop("标识中的颁发机构是本市登记的机构，但没有可核对的签名。")),
        "issuer.not_signed_yet": (_MAYBE, gettext_noop("登记的颁发机构已批量签发，数据签名正在补签，请过几分钟再核验。")),
        "issuer.trusted_node": (_YES, gettext_noop("颁发机构所在地区的节点在互认名单中，其密钥有效。")),
        "issuer.untrusted_node": (_NO, gettext_noop("颁发机构所在地区的节点已不在互认名单中，或其密钥已停用。")),
        "issuer.unknown": (_MAYBE, gettext_noop("颁发机构不是本市登记的机构，也不在互认名单中，请向颁发地核实。")),
        "issuer.not_proven": (_MAYBE, gettext_noop("文件没有本平台成立的签章，不能确认是谁签发的。")),
        "issuer.not_found": (_MAYBE, gettext_noop("没有从文件中读出颁发机构。")),
    }
)


@dataclass(frozen=True, slots=True)
class Fragment:
    """One of the three answers. `evidence` names what it rests on: key, list, times, never a value of the license."""

    state: State
    code: str
    message: str
    evidence: Mapping[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        """Return the fragment as JSON."""
        return {"state": self.state.value, "code": self.code, "message": self.message, "evidence": dict(self.evidence)}


@dataclass(frozen=True, slots=True)
class Summary:
    """What anybody may know of a license: type, issuer, validity, its version; the holder masked."""

    identifier: str
    type_code: str
    type_name: str
    issuer_code: str
    issuer_name: str
    version: str
    issued_on: date
    valid_from: date | None
    valid_to: date | None
    holder: str

    def told(self) -> dict[str, Any]:
        """Return the summary as JSON."""
        return {
            "identifier": self.identifier,
            "type_code": self.type_code,
            "type_name": self.type_name,
            "issuer_code": self.issuer_code,
            "issuer_name": self.issuer_name,
            "version": self.version,
            "issued_on": self.issued_on.isoformat(),
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
            "holder": self.holder,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """The answer. `license` is None when nothing is known; `holder_agrees` when no name was compared or none is known."""

    integrity: Fragment
    status: Fragment
    issuer: Fragment
    checked_at: datetime
    license: Summary | None = None
    subject_key: bytes | None = None  # of whom a use is recorded; never told
    holder_agrees: bool | None = None

    @property
    def state(self) -> State:
        """The whole in one word: one wrong fragment makes it invalid, one unknown keeps it from being valid."""
        states = {self.integrity.state, self.status.state, self.issuer.state}
        return next((state for state in (State.INVALID, State.UNKNOWN) if state in states), State.VALID)

    @property
    def outcome(self) -> str:
        """The code that matters most: the first that is not valid, whatever was not examined left aside."""
        known = [f for f in (self.integrity, self.status, self.issuer) if f.code != "integrity.not_examined"]
        return next((f.code for f in known if f.state == State.INVALID), "") or next(
            (f.code for f in known if f.state == State.UNKNOWN), "status.valid"
        )

    def told(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return {
            "state": self.state.value,
            "checked_at": self.checked_at.isoformat(timespec="seconds"),
            "integrity": self.integrity.told(),
            "status": self.status.told(),
            "issuer": self.issuer.told(),
            "license": self.license.told() if self.license else None,
            "holder_agrees": self.holder_agrees,
        }


def fragment(code: str, evidence: Mapping[str, str] | None = None, **words: str) -> Fragment:
    """Return the fragment of a code; `words` fill its sentence."""
    state, sentence = VERDICTS[code]
    return Fragment(state, code, _(sentence) % words if words else _(sentence), evidence or {})
