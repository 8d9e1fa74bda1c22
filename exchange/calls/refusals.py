"""Refusals of calls (拒绝): every stable code with its HTTP status and the sentence that says which side is wrong.

One table, so that the door, the call log and the documentation cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from exchange.presenting.refusals import REFUSALS as PRESENTING

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a code is answered. `is_known_caller` refusals are written to the call record, the others are only counted."""

    status: int
    message: _StrPromise
    is_known_caller: bool = True


class Refusal(Exception):
    """A call is refused; `details` maps a name to what is wrong with it and never repeats a value."""

    def __init__(self, code: str, details: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.details = dict(details or {})
        self.retry_after = 1  # seconds, told with a 503 and a 502

    @property
    def verdict(self) -> Verdict:
        """The line of the table."""
        return REFUSALS[self.code]

    def told(self, request_id: str) -> dict[str, Any]:
        """Return the body of the answer that says no."""
        return {"code": self.code, "message": str(self.verdict.message), "details": self.details, "request_id": request_id}


REFUSALS: Mapping[str, Verdict] = MappingProxyType(
    {
        "auth.missing_header": Verdict(401, _("调用方请求缺少签名请求头或格式不正确"), False),
        "auth.unknown_key": Verdict(401, _("调用方的应用标识不存在，请核对 X-Gov-Key"), False),
        "auth.bad_signature": Verdict(401, _("调用方签名不正确，请核对密钥、算法和待签名内容"), False),
        "auth.bad_digest": Verdict(401, _("请求体与调用方签名的摘要不一致，请求可能在途中被改动")),
        "auth.clock_skew": Verdict(401, _("调用方的签名时间与平台时间相差过大，请校准调用方时钟")),
        "auth.before_restart": Verdict(401, _("平台刚刚恢复，不再接受恢复之前签名的请求，请调用方以当前时间重新签名")),
        "auth.credential_not_yet_valid": Verdict(401, _("调用方的访问凭证尚未生效")),
        "auth.credential_expired": Verdict(401, _("调用方的访问凭证已过期，请申请新凭证")),
        "auth.credential_revoked": Verdict(401, _("调用方的访问凭证已被吊销")),
        "auth.system_disabled": Verdict(403, _("调用方系统已停用")),
        "grant.not_found": Verdict(403, _("调用方没有这项授权，请核对地址中的授权编号")),
        "grant.not_yet_valid": Verdict(403, _("授权尚未生效，请调用方在生效时间之后调用")),
        "grant.expired": Verdict(403, _("授权已到期，请使用部门重新申请")),
        "grant.suspended": Verdict(403, _("授权已被平台或提供方暂停")),
        "grant.revoked": Verdict(403, _("授权已被平台或提供方撤销")),
        "grant.mode_mismatch": Verdict(403, _("授权不允许这种共享方式，请调用方核对地址")),
        "grant.field_not_granted": Verdict(403, _("调用方请求了未授权的信息项")),
        "grant.ip_not_listed": Verdict(403, _("调用方的来源地址不在授权登记的地址范围内")),
        "grant.matter_not_granted": Verdict(403, _("授权不包括调用方所写的事项")),
        "grant.verify_only": Verdict(403, _("这些数据现为四级（高敏感）或涉及未成年人，只能比对验证，请使用部门重新申请")),
        "grant.unusable": Verdict(503, _("授权的资源已下线或挂接有误，问题在平台或提供方，请联系平台")),
        "call.method_not_allowed": Verdict(405, _("这个地址不接受调用方所用的请求方法，请调用方核对接口说明"), False),
        "call.unknown_path": Verdict(404, _("调用方请求的地址不存在"), False),
        "call.body_too_large": Verdict(413, _("调用方的请求体过大")),
        "call.invalid_parameter": Verdict(422, _("调用方的请求参数不正确，原因见 details")),
        "job.not_found": Verdict(404, _("调用方的这项授权下没有这个批量作业或这一部分")),
        "job.not_ready": Verdict(409, _("这一部分还没有生成，请调用方稍后再取")),
        "job.running": Verdict(409, _("这项授权已有一个内容不同的批量作业正在生成，请等它完成或先取消")),
        "job.gone": Verdict(410, _("批量作业已过期、取消或中止，文件已清除，请调用方重新发起")),
        "job.terms_changed": Verdict(410, _("授权内容在作业发起之后有变化，文件不再提供，请调用方重新发起")),
        "job.too_many_rows": Verdict(422, _("行数超过 Excel 单表上限，请改用 csv 或 jsonl 格式")),
        "job.range_not_satisfiable": Verdict(416, _("请求的字节范围超出这一部分的长度")),
        "feed.timepoint_too_old": Verdict(416, _("时间点过旧或不属于现在的数据库，请调用方以 after 为 null 重新取全量")),
        "feed.terms_changed": Verdict(416, _("授权内容在取得时间点之后有变化，请调用方以 after 为 null 重新取全量")),
        "features.unknown_parameter": Verdict(400, _("调用方请求中有未知的参数，参数名见 details")),
        "features.invalid_parameter": Verdict(400, _("调用方请求的参数取值不正确，原因见 details")),
        "features.invalid_filter": Verdict(400, _("调用方的过滤条件写法不正确，或用到了没有授权的信息项，原因见 details")),
        "features.not_found": Verdict(404, _("这个图层里没有这个要素，或不在授权范围内")),
        "features.no_such_tile": Verdict(404, _("没有这个瓦片，请调用方核对级别和行列号")),
        "features.not_a_layer": Verdict(503, _("授权的信息项里没有可显示的空间图形，请使用部门重新申请")),
        "call.control_parameter": Verdict(422, _("调用方的管控参数缺失或不在授权范围内，原因见 details")),
        "call.matter_required": Verdict(422, _("授权限定了事项，调用方须在 context.matter 中写明事项编码")),
        "call.replayed": Verdict(409, _("同一个签名请求已经用过，请调用方更换随机数重新签名")),
        "quota.second_exceeded": Verdict(429, _("调用方超过授权的每秒调用量，请稍后再试")),
        "quota.day_exceeded": Verdict(429, _("调用方超过授权的当日调用量，次日零点恢复")),
        "quota.subject_exceeded": Verdict(429, _("调用方对同一对象的当日比对次数已达上限，次日零点恢复")),
        "provider.unavailable": Verdict(502, _("提供方的数据库连接不上，问题在提供方，请稍后再试")),
        "provider.timeout": Verdict(502, _("提供方的数据库没有在规定时间内应答，问题在提供方，请稍后再试")),
        "provider.refused": Verdict(502, _("提供方的数据库拒绝了查询或应答有误，问题在提供方，请联系提供方")),
        "provider.busy": Verdict(503, _("对这个提供方的调用已达同时上限，请调用方稍后再试")),
        "provider.circuit_open": Verdict(503, _("提供方的数据库连续失败，平台暂停对它的调用，请稍后再试")),
        "upstream.unavailable": Verdict(502, _("上级平台的接口连接不上或出错，问题在上级平台，请稍后再试")),
        "upstream.timeout": Verdict(502, _("上级平台的接口没有在规定时间内应答，问题在上级平台，请稍后再试")),
        "upstream.refused": Verdict(502, _("上级平台拒绝了平台的请求或应答不符合约定，请联系平台")),
        "upstream.busy": Verdict(503, _("对这个上级接口的调用已达同时上限，请调用方稍后再试")),
        "upstream.circuit_open": Verdict(503, _("上级平台的接口连续失败，平台暂停对它的调用，请稍后再试")),
        **{code: Verdict(status, message) for code, (status, message) in PRESENTING.items()},
        "platform.busy": Verdict(503, _("平台正在处理的批量调用过多，请调用方稍后再试")),
        "platform.recovering": Verdict(503, _("平台正在恢复，请调用方稍后再试")),
        "platform.unsealed": Verdict(503, _("平台的调用记录封存滞后过久，敏感数据暂停提供，问题不在调用方，请稍后再试")),
        "platform.unavailable": Verdict(503, _("平台暂时不可用，问题不在调用方，请稍后再试")),
    }
)
