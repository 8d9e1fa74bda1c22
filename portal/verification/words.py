"""How the public page tells of a verification: headline, the three answers with what each means, evidence in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licenses.verification.outcome import Fragment, Result, State

LOOKS = {
    State.VALID: ("success", "circle-check", gettext_lazy("通过")),
    State.INVALID: ("danger", "circle-x", gettext_lazy("不通过")),
    State.UNKNOWN: ("warning", "help-circle", gettext_lazy("未知")),
}
EVIDENCE: dict[str, str | Promise] = {
    "list": gettext_lazy("状态清单"),
    "since": gettext_lazy("状态时间"),
    "position": gettext_lazy("清单位置"),
    "superseded_by": gettext_lazy("新版本标识"),
    "version": gettext_lazy("新版本号"),
    "valid_to": gettext_lazy("有效期止"),
    "valid_from": gettext_lazy("有效期起"),
    "issuer_code": gettext_lazy("颁发机构代码"),
    "register": gettext_lazy("登记册"),
    "key": gettext_lazy("签名密钥"),
    "key_since": gettext_lazy("密钥启用时间"),
    "format": gettext_lazy("文件格式"),
    "signed_at": gettext_lazy("签章时间"),
    "on_record": gettext_lazy("登记的文件"),
    "node": gettext_lazy("互认节点"),
    "copy_until": gettext_lazy("加注件使用期限"),
}
VALUES: dict[str, str | Promise] = {
    "issued": gettext_lazy("本平台签发的证照"),
    "aggregated": gettext_lazy("全市归集的证照"),
    "original": gettext_lazy("签发的原件"),
    "copy": gettext_lazy("为特定用途制作的加注件"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One of the three answers, as a card shows it."""

    title: str
    meaning: str
    css: str
    icon: str
    word: str
    message: str
    code: str
    evidence: list[tuple[str, str]]
    newer: str


def parts_of(result: Result) -> list[Part]:
    """Return the three answers in the order people ask: is it genuine, may it be used, who issued it."""
    return [
        _part(_("内容完整性"), _("内容有没有被改动"), result.integrity),
        _part(_("状态"), _("现在还能不能用"), result.status),
        _part(_("颁发机构"), _("是不是它所写的机构签发的"), result.issuer),
    ]


def _part(title: str, meaning: str, of: Fragment) -> Part:
    css, icon, word = LOOKS[of.state]
    told = [
        (str(EVIDENCE[name]), str(VALUES.get(value, value)))
        for name, value in of.evidence.items()
        if value and name in EVIDENCE and name != "superseded_by"
    ]
    return Part(title, meaning, css, icon, str(word), of.message, of.code, told, of.evidence.get("superseded_by", ""))


def reason(result: Result) -> str:
    """Return what keeps the license from passing, in a sentence; nothing when all is well or a name alone disagrees."""
    parts = (result.integrity, result.status, result.issuer)
    return next((part.message for part in parts if part.code == result.outcome and part.state != State.VALID), "")


def headline(result: Result) -> tuple[str, str, str, str]:
    """Return colour, icon, headline and what to do next."""
    if result.state == State.INVALID or result.holder_agrees is False:
        return "danger", "circle-x", _("核验不通过"), _("请勿凭此证照办理，可向颁发机构核实。")
    if result.state == State.VALID:
        return "success", "circle-check", _("核验通过"), _("文件未被改动，证照有效，颁发机构已确认。")
    if result.outcome == "status.valid":
        text = _("登记的证照有效。请对照下列信息与所持证照是否一致；要确认文件没有被改动，请上传文件。")
        return "success", "circle-check", _("证照有效，未核验文件"), text
    return "warning", "help-circle", _("不能确认"), _("平台掌握的信息不足以判断，请按下列说明核实。")
