"""Refusals of presenting (亮证拒绝): every stable code with its HTTP status and what it says to a desk, a system or a holder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

REFUSALS: Final[dict[str, tuple[int, _StrPromise]]] = {
    "presenting.code_malformed": (422, _("亮证码的格式不正确，请重新扫描或输入")),
    "presenting.code_unknown": (404, _("没有这个亮证码，可能已被改动，请持证人重新出示")),
    "presenting.code_expired": (410, _("亮证码已过期，请持证人重新出示")),
    "presenting.code_used": (409, _("亮证码已被扫描过，不能再次使用，请持证人重新出示")),
    "presenting.code_blocked": (409, _("亮证码已停用，请持证人重新出示")),
    "presenting.too_many_tries": (429, _("十分钟内未通过的扫码过多，请稍后再试")),
    "presenting.holder_blocked": (409, _("持证人的亮证已停用，须致电热线核实身份后恢复")),
    "presenting.holder_gone": (409, _("持证主体已死亡或已注销，不能出示证照")),
    "presenting.holder_unknown": (404, _("基础库中没有号码与姓名（名称）相符的主体")),
    "presenting.not_agent": (403, _("此人不是该企业的法定代表人，也没有有效的代办授权")),
    "presenting.not_identity_application": (403, _("调用方不是登记的可信身份应用")),
    "presenting.assurance_low": (403, _("身份核验等级不够，出示证照须经实名核验")),
    "presenting.grant_not_for_licenses": (403, _("这项授权不是电子证照的查询授权")),
    "presenting.matter_unknown": (422, _("用证清单中没有这个事项，请核对事项编码")),
    "presenting.nothing_allowed": (403, _("用证清单与授权的信息项没有交集，不能请求任何内容")),
    "presenting.not_found": (404, _("没有这次出示，或它不属于调用方")),
    "presenting.not_confirmed": (409, _("持证人尚未确认，请稍候")),
    "presenting.refused_by_holder": (409, _("持证人已拒绝，没有提供任何信息")),
    "presenting.answer_late": (410, _("持证人没有在期限内确认，请持证人重新出示")),
    "presenting.read_late": (410, _("读取期限已过，没有提供任何信息，请持证人重新出示")),
    "presenting.already_read": (409, _("内容已经读取过一次，不能再读")),
    "presenting.already_answered": (409, _("持证人已答复过")),
    "presenting.other_grant": (403, _("须用扫码时的同一项授权读取")),
    "presenting.license_changed": (409, _("确认之后证照已失效、被吊销或有新版本，没有提供任何信息，请持证人重新出示")),
}
