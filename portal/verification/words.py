"""How the public page tells of a verification: headline, the three answers with what each means, evidence in words."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from licenses.verification.outcome import Fragment, Result, State

LOOKS = {
    State.VALID: ("success", "circle-check", lazy("通过")),
    State.INVALID: ("danger", "circle-x", lazy("不通过")),
    State.UNKNOWN: ("warning", "help-circle", lazy("未知")),
}
EVIDENCE: dict[str, str | Promise] = {
    "list": lazy("状态清单"),
    "since": lazy("状态时间"),
    "position": lazy("清单位置"),
    "superseded_by": lazy("新版本标识"),
    "version": lazy("新版本号"),
    "valid_to": lazy("有效期止"),
    "valid_from": lazy("有效期起"),
    "issuer_code": lazy("颁发机构代码"),
    "register": lazy("登记册"),
    "key": lazy("签名密钥"),
    "key_since": lazy("密钥启用时间"),
    "format": lazy("文件格式"),
    "signed_at": lazy("签章时间"),
    "on_record": lazy("登记的文件"),
    "node": lazy("互认节点"),
}
VALUES: dict[str, str | Promise] = {
    "issued": lazy("本平台签发的证照"),
    "aggregated": lazy("全市归集的证照"),
    "original": lazy("签发的原件"),
    "copy": lazy("为特定用途制作的加注件"),
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
        _part(_("完整性"), _("内容有没有被改动"), result.integrity),
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
