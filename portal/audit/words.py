"""Audit actions and object kinds in words (动作名称): codes are `noun.participle`, both halves are translated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.roles import Role

NOUNS: Mapping[str, str | Promise] = {
    "access_request": _("共享申请"),
    "account": _("账户"),
    "aggregation_plan": _("归集任务"),
    "aggregation_run": _("归集批次"),
    "agent": _("企业代办人"),
    "alert": _("告警"),
    "attachment": _("附件"),
    "audit": _("审计记录"),
    "backflow": _("数据回流"),
    "backflow_batch": _("回流批次"),
    "backflow_subscription": _("回流任务"),
    "binding": _("挂接"),
    "break_glass": _("应急访问"),
    "bulk": _("批量办理"),
    "bundle": _("一揽子申请"),
    "call": _("调用"),
    "call_log": _("调用记录"),
    "claim": _("认领"),
    "credential": _("访问凭证"),
    "delegation": _("外出委托"),
    "department": _("部门"),
    "disposal": _("数据处置"),
    "evidence": _("存证"),
    "grant": _("授权"),
    "holder": _("持证人"),
    "holder_session": _("持证人会话"),
    "identity_application": _("可信身份应用"),
    "legal_hold": _("法律保全"),
    "license": _("电子证照"),
    "license_batch": _("批量签发批次"),
    "license_draft": _("证照草稿"),
    "license_feed": _("归集签发"),
    "password": _("密码"),
    "plan": _("归集任务"),
    "presentation": _("亮证"),
    "records": _("调用记录"),
    "rejected_row": _("拒收记录"),
    "rejected_rows": _("拒收记录"),
    "remark": _("备注"),
    "resource": _("信息资源"),
    "role": _("角色"),
    "run": _("归集批次"),
    "seal_key": _("签章密钥"),
    "subject_accesses": _("个人数据使用查询"),
    "subscription": _("回流任务"),
    "system": _("使用方系统"),
    "usage": _("使用记录"),
    "user": _("用户"),
}
PARTICIPLES: Mapping[str, str | Promise] = {
    "acknowledged": _("签收"),
    "acted": _("暂停授权"),
    "activated": _("启用"),
    "added": _("添加"),
    "appointed": _("任命"),
    "asked": _("受理"),
    "authorized": _("授权代办人"),
    "blocked": _("停用"),
    "approved": _("批准"),
    "changed": _("修改"),
    "change_drafted": _("起草变更"),
    "checked": _("审核通过"),
    "cleared": _("提供方同意"),
    "closed": _("撤销"),
    "confirmed": _("确认"),
    "corrected": _("更正"),
    "created": _("新建"),
    "deactivated": _("停用"),
    "deadlines_exported": _("导出期限清单"),
    "decided": _("办理"),
    "delivered": _("投递"),
    "discarded": _("删除草稿"),
    "dismissed": _("不再处理"),
    "downloaded": _("下载"),
    "drafted": _("起草"),
    "dropped": _("销毁"),
    "edited": _("编辑"),
    "ended": _("终止"),
    "endorsed": _("部门负责人同意"),
    "exported": _("导出"),
    "failed": _("失败"),
    "finished": _("完成"),
    "given": _("委托"),
    "inspected": _("检查"),
    "issued": _("签发"),
    "let_in": _("准入"),
    "locked_out": _("锁定"),
    "masks_chosen": _("加严脱敏"),
    "mounted": _("挂接"),
    "narrowed": _("收窄"),
    "opened": _("开启"),
    "placed": _("保全"),
    "proposed": _("提出"),
    "published": _("发布"),
    "queued": _("提交运行"),
    "read": _("查看"),
    "reassigned": _("转办"),
    "recalled": _("撤回"),
    "recorded": _("登记"),
    "redacted": _("删除内容"),
    "refused": _("拒绝"),
    "refuted": _("核验发现不一致"),
    "registered": _("登记"),
    "released": _("释放"),
    "removed": _("移除"),
    "replayed": _("重放"),
    "reported": _("报告"),
    "reset": _("重置"),
    "resumed": _("恢复"),
    "retired": _("转存"),
    "returned": _("退回"),
    "revealed": _("展示密钥"),
    "reviewed": _("复核"),
    "revoked": _("撤销"),
    "root_begun": _("另立根证书"),
    "rotated": _("轮换"),
    "scanned": _("扫码"),
    "sent_back": _("退回"),
    "signed_in": _("登录"),
    "started": _("启动"),
    "started_over": _("重新全量"),
    "stopped": _("停止"),
    "submitted": _("提交"),
    "succeeded": _("完成"),
    "suspended": _("暂停"),
    "taken": _("认领"),
    "terminated": _("终止备案"),
    "addresses_limited": _("登记来源地址"),
    "clients_loaded": _("登记服务对象"),
    "traced": _("追溯"),
    "trusted": _("登记为可信"),
    "unblocked": _("恢复"),
    "unlocked": _("解锁"),
    "uploaded": _("上传更正"),
    "verified": _("核验一致"),
    "withdrawn": _("撤回"),
    "cancelled": _("取消"),
    "deregistered": _("注销"),
    "check_failed": _("核查未通过"),
    "forfeited": _("吊销"),
    "given_back": _("暂扣发还"),
    "issued_in_batch": _("批量签发"),
    "made": _("起草"),
    "move_cancelled": _("取消转出"),
    "moved_away": _("办理转出"),
    "paper_registered": _("登记纸质证照"),
    "reissued": _("补发"),
    "renewed": _("延续"),
    "rescinded": _("撤销"),
    "signed": _("签发"),
    "taken_in": _("接收"),
    "withheld": _("暂扣"),
}
DETAILS: Mapping[str, str | Promise] = {
    "subject": _("查询对象代号"),
    "check": _("申请人身份核对"),
    "month": _("月份"),
    "record_count": _("记录数"),
    "start": _("溯源起点"),
    "action": _("动作"),
    "actor": _("操作人"),
    "added": _("增加"),
    "algorithm": _("签名算法"),
    "department": _("部门"),
    "object": _("对象名称或标识"),
    "since": _("开始日期"),
    "until": _("结束日期"),
    "after": _("变更后"),
    "before": _("变更前"),
    "changed": _("变更"),
    "clients": _("服务对象数"),
    "code": _("代码"),
    "count": _("数量"),
    "fields": _("信息项"),
    "filing": _("备案编号"),
    "filter": _("筛选条件"),
    "masks": _("脱敏"),
    "filters": _("筛选条件"),
    "is_active": _("启用"),
    "is_contractor": _("外包人员"),
    "accepted": _("接收"),
    "connector": _("接入方式"),
    "dataset": _("数据集"),
    "display_name": _("姓名"),
    "name": _("名称"),
    "short_name": _("简称"),
    "digest": _("内容摘要"),
    "plan": _("归集任务"),
    "read": _("读取"),
    "region": _("区划"),
    "rejected": _("拒收"),
    "sequence": _("批次"),
    "mode": _("共享方式"),
    "number": _("编号"),
    "on": _("日期"),
    "purpose": _("使用目的"),
    "quota_per_day": _("日调用量"),
    "reason": _("原因"),
    "removed": _("取消"),
    "request": _("来源申请"),
    "revision": _("修订号"),
    "roles_lost": _("失去的角色"),
    "row_count": _("行数"),
    "seat": _("岗位"),
    "rows": _("行数"),
    "shown_count": _("显示条数"),
    "state": _("状态"),
    "successor": _("承接部门"),
    "system": _("使用方系统"),
    "username": _("用户名"),
    "version": _("版本"),
    "basis": _("依据"),
    "digests": _("证照摘要的摘要"),
    "first_serial": _("起始流水号"),
    "good": _("校验通过"),
    "kind": _("办理类型"),
    "last_serial": _("截止流水号"),
    "paper": _("纸质证照"),
    "source": _("来源"),
    "type": _("证照类型代码"),
}


def detail_title(name: str, kind: str = "") -> str:
    """Return the name of a detail in words; a column of such an object is called as the object calls it."""
    if name in DETAILS:
        return str(DETAILS[name])
    columns = {field.name: field for model in _models(kind) for field in model._meta.fields}
    return str(columns[name].verbose_name) if name in columns else name


def words_of(kind: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the details of an entry about such an object with their names and values in words."""
    shown = {}
    for name, value in detail.items():
        if name == "changed" and isinstance(value, list):
            shown[detail_title(name, kind)] = [detail_title(str(part), kind) for part in value]
        else:
            shown[detail_title(name, kind)] = value_title(kind, value)
    return shown


def value_title(kind: str, value: Any) -> Any:
    """Return a value in words where it is yes or no, a role or one of the choices of such an object's columns."""
    if isinstance(value, dict):
        return words_of(kind, value)
    if isinstance(value, list):
        return [value_title(kind, part) for part in value]
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    titles: dict[Any, Any] = dict(Role.choices)
    for field in (field for model in _models(kind) for field in model._meta.fields if field.choices):
        titles |= dict(field.flatchoices)
    return str(titles[value]) if isinstance(value, str) and titles.get(value) else value


def action_title(action: str) -> str:
    """Return an action in words; a half nobody translated stays as it is."""
    noun, _dot, participle = action.partition(".")
    return f"{NOUNS.get(noun, noun)} · {PARTICIPLES.get(participle, participle)}"


def object_kind_title(kind: str) -> str:
    """Return what kind of object an entry is about, in words."""
    found = _models(kind)
    return str(found[0]._meta.verbose_name) if found else kind


def _models(kind: str) -> list[type[Model]]:
    return [model for model in apps.get_models() if model._meta.model_name == kind]
