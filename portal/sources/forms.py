"""Forms of sources: a table, an interface, an account with its secret, the national convention, authorization from above."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError
from core.texts import listed
from exchange.models import (
    AccountAuth,
    AuthorizationKind,
    Grant,
    HeaderFamily,
    HttpMethod,
    KeyKind,
    RelayState,
    TableKind,
    UpstreamAccount,
    UpstreamInterface,
)
from portal.forms import PortalForm


class Lines(forms.CharField):
    """Several lines, each of so many words; the last word may be missing."""

    widget = forms.Textarea

    def __init__(self, *names: str, **kwargs: Any) -> None:
        self.names = names
        super().__init__(max_length=10_000, **kwargs)
        self.widget.attrs.update({"rows": 6, "spellcheck": "false"})

    def to_python(self, value: Any) -> Any:
        """Return one dictionary a line."""
        text = super().to_python(value) or ""
        super().run_validators(text)
        rows = [line.split(maxsplit=len(self.names) - 1) for line in text.splitlines() if line.strip()]
        if any(len(row) < len(self.names) - 1 or not row for row in rows):
            raise ValidationError(_("每行应依次填写：%(names)s，以空格分开。") % {"names": listed(self.names)}, code="line")
        return [row + [row[0]] * (len(self.names) - len(row)) for row in rows]

    def validate(self, value: Any) -> None:
        """Refuse an empty list where one is required."""
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """The text was checked while its lines were read."""


class SourceForm(PortalForm):
    """What every source is asked for."""

    title = forms.CharField(label=gettext_lazy("名称"), max_length=100)
    key_kind = forms.ChoiceField(label=gettext_lazy("查询主键"), choices=KeyKind.choices)
    timeout_ms = forms.IntegerField(label=gettext_lazy("超时（毫秒）"), min_value=100, max_value=10_000, initial=3000)
    at_once = forms.IntegerField(
        label=gettext_lazy("同时调用上限"),
        min_value=1,
        max_value=8,
        initial=4,
        help_text=gettext_lazy("超过上限的调用立即退回，不占用平台的线程。"),
    )


class ConnectionForm(SourceForm):
    """A table of a department."""

    kind = forms.ChoiceField(label=gettext_lazy("数据库类型"), choices=TableKind.choices)
    host = forms.CharField(label=gettext_lazy("主机"), max_length=253)
    port = forms.IntegerField(label=gettext_lazy("端口"), min_value=1, max_value=65_535, initial=5432)
    database = forms.CharField(label=gettext_lazy("库名"), max_length=63)
    username = forms.CharField(label=gettext_lazy("只读账号"), max_length=63)
    password = forms.CharField(
        label=gettext_lazy("口令"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("加密保存，保存后不再显示。"),
    )
    schema = forms.CharField(label=gettext_lazy("模式"), max_length=63, required=False)
    table = forms.CharField(label=gettext_lazy("表或视图"), max_length=64)
    key_column = forms.CharField(label=gettext_lazy("主键字段"), max_length=64)
    region_column = forms.CharField(
        label=gettext_lazy("区划字段"),
        max_length=64,
        required=False,
        help_text=gettext_lazy("没有区划字段的表不能提供限定区划的授权。"),
    )
    columns = Lines("name", "title", label=gettext_lazy("可提供的字段"), help_text=gettext_lazy("每行一个：字段名 中文名。"))

    def values(self) -> dict[str, Any]:
        """Return what the process function takes."""
        given = {name: value for name, value in self.cleaned_data.items() if name != "password"}
        return given | {"columns": [{"name": name, "title": title} for name, title in given["columns"]]}


class InterfaceForm(SourceForm):
    """An interface above."""

    authority = forms.CharField(label=gettext_lazy("上级单位"), max_length=100, required=False)
    method = forms.ChoiceField(label=gettext_lazy("请求方法"), choices=HttpMethod.choices, initial=HttpMethod.POST)
    url = forms.CharField(label=gettext_lazy("地址"), max_length=300)
    account = forms.ModelChoiceField(label=gettext_lazy("账号"), queryset=UpstreamAccount.objects.none(), required=False)
    sid = forms.CharField(label=gettext_lazy("服务编码"), max_length=64, required=False)
    parameters = Lines(
        "name",
        "from",
        label=gettext_lazy("请求参数"),
        help_text=gettext_lazy("每行一个：参数名 key（查询主键）或 call_id（调用编号）或 =固定值。"),
    )
    columns = Lines(
        "name",
        "pointer",
        "title",
        label=gettext_lazy("应答字段"),
        help_text=gettext_lazy("每行一个：字段名 应答中的位置（JSON 指针，如 /data/xm）中文名。"),
    )
    record = forms.CharField(label=gettext_lazy("记录的位置"), max_length=100, required=False, initial="/data")
    code = forms.CharField(label=gettext_lazy("应答码的位置"), max_length=100, required=False, initial="/code")
    ok = forms.CharField(label=gettext_lazy("成功的应答码"), max_length=100, required=False, initial="0,200")
    none = forms.CharField(label=gettext_lazy("查无此人的应答码"), max_length=100, required=False)

    def __init__(self, *args: Any, accounts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]

    def add_domain_error(self, error: DomainError) -> None:
        """Show what is wrong with the parameters beside them."""
        if "request_map" in error.details:
            error.details["parameters"] = error.details.pop("request_map")
        super().add_domain_error(error)

    def values(self) -> dict[str, Any]:
        """Return what the process function takes."""
        data = self.cleaned_data
        place = "query" if data["method"] == HttpMethod.GET else "body"
        plain = ("title", "key_kind", "timeout_ms", "at_once", "authority", "method", "url", "account", "sid")
        return {name: data[name] for name in plain} | {
            "columns": [{"name": name, "pointer": pointer, "title": title} for name, pointer, title in data["columns"]],
            "request_map": {name: _parameter(source, place) for name, source in data["parameters"]},
            "answer_map": {"record": data["record"], "code": data["code"]} | {name: _codes(data[name]) for name in ("ok", "none")},
        }


def _parameter(source: str, place: str) -> dict[str, str]:
    if source in ("key", "call_id"):
        return {"in": place, "from": source}
    return {"in": place, "from": "constant", "value": source.removeprefix("=")}


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.replace("，", ",").split(",") if code.strip()]


class SecretForm(PortalForm):
    """A secret that is typed in once."""

    secret = forms.CharField(
        label=gettext_lazy("密钥"),
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("加密保存，保存后不再显示。"),
    )


class AccountForm(SecretForm):
    """An account at a platform above."""

    title = forms.CharField(label=gettext_lazy("名称"), max_length=100)
    auth = forms.ChoiceField(label=gettext_lazy("认证方式"), choices=AccountAuth.choices)
    header_name = forms.CharField(label=gettext_lazy("请求头"), max_length=60, required=False)
    family = forms.ChoiceField(label=gettext_lazy("接口规范"), choices=[("", "—"), *HeaderFamily.choices], required=False)
    rid = forms.CharField(label=gettext_lazy("请求者标识"), max_length=64, required=False)
    refresh_url = forms.CharField(label=gettext_lazy("密钥刷新地址"), max_length=300, required=False)
    refresh_sid = forms.CharField(label=gettext_lazy("密钥刷新服务编码"), max_length=64, required=False)

    field_order = ("title", "auth", "header_name", "family", "rid", "refresh_url", "refresh_sid", "secret")


class RotationForm(SecretForm):
    """The next secret of an account."""

    begins_on = forms.DateField(label=gettext_lazy("新密钥生效日期"), widget=forms.DateInput)
    old_ends_on = forms.DateField(
        label=gettext_lazy("旧密钥失效日期"),
        widget=forms.DateInput,
        required=False,
        help_text=gettext_lazy("不填则在新密钥生效时失效。"),
    )


class PasswordForm(PortalForm):
    """The next password of a table's account."""

    password = ConnectionForm.base_fields["password"]


class RequesterForm(PortalForm):
    """A system that calls by the national convention."""

    system = forms.UUIDField(label=gettext_lazy("使用方系统"))
    rid = forms.CharField(label=gettext_lazy("请求者标识"), max_length=64)
    requires_v2 = forms.BooleanField(label=gettext_lazy("必须携带随机数和正文摘要"), required=False)

    def __init__(self, *args: Any, systems: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(system.uid), system.name) for system in systems]
        self.fields["system"].widget = forms.Select(choices=choices, attrs={"class": "form-select"})


class ServiceForm(PortalForm):
    """A service code on a grant."""

    grant = forms.ModelChoiceField(label=gettext_lazy("授权"), queryset=Grant.objects.none(), to_field_name="uid")
    sid = forms.CharField(label=gettext_lazy("服务编码"), max_length=64)
    key_parameter = forms.CharField(
        label=gettext_lazy("主键参数"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("调用方报文中放证件号码的参数名，例如 sfzh；不填表示报文用本平台格式。"),
    )
    parameters = Lines(
        "name", "target", label=gettext_lazy("参数对应"), required=False, help_text=gettext_lazy("每行一个：对方参数名 信息项名。")
    )

    def __init__(self, *args: Any, grants: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["grant"].queryset = grants  # type: ignore[attr-defined]


class AuthorizationForm(PortalForm):
    """The terms of the authority above."""

    kind = forms.ChoiceField(label=gettext_lazy("授权方式"), choices=AuthorizationKind.choices)
    authority = forms.CharField(label=gettext_lazy("授权单位"), max_length=100)
    document_number = forms.CharField(label=gettext_lazy("授权文号"), max_length=60)
    terms = forms.CharField(label=gettext_lazy("授权条件"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    valid_from = forms.DateField(label=gettext_lazy("授权自"), widget=forms.DateInput)
    valid_to = forms.DateField(label=gettext_lazy("授权至"), widget=forms.DateInput)
    relay_interface = forms.ModelChoiceField(
        label=gettext_lazy("转报接口"),
        queryset=UpstreamInterface.objects.none(),
        to_field_name="uid",
        required=False,
        help_text=gettext_lazy("不选则由数据中心人工转报并登记回执。"),
    )

    def __init__(self, *args: Any, interfaces: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["relay_interface"].queryset = interfaces  # type: ignore[attr-defined]


class ReportForm(PortalForm):
    """A request reported upward."""

    document_number = forms.CharField(label=gettext_lazy("转报文号"), max_length=64)
    note = forms.CharField(label=gettext_lazy("说明"), max_length=500, required=False)


class ReceiptForm(ReportForm):
    """What came back."""

    document_number = forms.CharField(label=gettext_lazy("答复文号或回执号"), max_length=64)
    state = forms.TypedChoiceField(
        label=gettext_lazy("上级答复"),
        coerce=int,
        choices=[
            ("", gettext_lazy("请选择")),
            *((value, label) for value, label in RelayState.choices if value > RelayState.REPORTED),
        ],
    )
    external_id = forms.CharField(label=gettext_lazy("上级申请编号"), max_length=64, required=False)

    field_order = ("state", "document_number", "external_id", "note")
