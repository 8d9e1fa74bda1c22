"""Form fields of the limits of use (限制条件), for requests and for narrowing: lists are typed one entry a line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.granting.limits import MAX_QUOTA_PER_SECOND, Limits
from portal.forms import PortalForm

COMMAS = re.compile("[,，、]")


def _area(label: Any, hint: Any) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 2})
    return forms.CharField(label=label, help_text=hint, max_length=20_000, required=False, widget=widget)


class LimitsForm(PortalForm):
    """Limits beyond items, division and the day's quota; all of them may be left empty."""

    limit_fields = ("own_clients", "row_lists", "control_parameters", "matters", "ip_list", "quota_per_second")

    own_clients = forms.BooleanField(
        label=_("只查询本部门的服务对象"), required=False, help_text=_("授权后由使用方上传服务对象清单，清单之外一律查不到。")
    )
    row_lists = _area(_("按取值限定数据行"), _("每行一条：字段名=取值、取值。例如：sex=1、2"))
    control_parameters = _area(_("管控参数"), _("每行一条：参数名=允许的取值、取值。调用时必须带上，取值不符即被拒绝。"))
    matters = _area(_("限定事项"), _("每行一个事项编码。填写后每次调用都要写明事项。"))
    ip_list = _area(_("来源地址"), _("每行一个 IP 地址，或写成“地址/前缀长度”的网段。留空为不限。"))
    quota_per_second = forms.IntegerField(
        label=_("每秒调用次数上限"), min_value=1, max_value=MAX_QUOTA_PER_SECOND, initial=100, required=False
    )

    def clean_row_lists(self) -> dict[str, list[str]]:
        """Read item -> values."""
        return read_assignments(self.cleaned_data["row_lists"])

    def clean_control_parameters(self) -> dict[str, list[str]]:
        """Read parameter -> allowed values."""
        return read_assignments(self.cleaned_data["control_parameters"])

    def limits(self) -> Limits:
        """Return the valid form as the rules' limits."""
        cleaned = self.cleaned_data
        rules: list[dict[str, Any]] = [{"kind": "own_clients"}] if cleaned["own_clients"] else []
        rules += [{"kind": "list", "item": item, "values": values} for item, values in cleaned["row_lists"].items()]
        return Limits(
            row_filter=rules,
            control_parameters=cleaned["control_parameters"],
            matters=read_lines(cleaned["matters"]),
            ip_list=read_lines(cleaned["ip_list"]),
            quota_per_second=cleaned["quota_per_second"] or 100,
        )

    def add_domain_error(self, error: Any) -> None:
        """Show a refusal where it belongs: the rules call both parts of the row filter one name."""
        if error.status == 422 and "row_filter" in error.details:
            error.details["row_lists"] = error.details.pop("row_filter")
        super().add_domain_error(error)

    @property
    def limit_rows(self) -> list[Any]:
        """Return the fields of the limits, for the part of the page that shows them."""
        return [self[name] for name in self.limit_fields]

    @property
    def has_limits(self) -> bool:
        """Return whether one of the limits is set or at fault: that part of the page then stands open."""
        return any(name in self.errors or self[name].value() for name in self.limit_fields[:-1])


def initial_limits(limits: Limits) -> dict[str, Any]:
    """Return limits as the form shows them."""
    lists = {rule["item"]: rule["values"] for rule in limits.row_filter if rule.get("kind") == "list"}
    return {
        "own_clients": any(rule.get("kind") == "own_clients" for rule in limits.row_filter),
        "row_lists": written_assignments(lists),
        "control_parameters": written_assignments(limits.control_parameters),
        "matters": "\n".join(limits.matters),
        "ip_list": "\n".join(limits.ip_list),
        "quota_per_second": limits.quota_per_second,
    }


def read_lines(text: str) -> list[str]:
    """Return the lines that hold something, without blanks around them."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def read_assignments(text: str) -> dict[str, list[str]]:
    """Return name -> values of lines like `name=one、two`; ValidationError names the line that is none."""
    found: dict[str, list[str]] = {}
    for number, line in enumerate(read_lines(text), start=1):
        name, mark, values = line.replace("＝", "=").partition("=")
        if not mark or name.strip() in found:
            raise ValidationError(gettext("第 %(number)s 行须写成“名称=取值、取值”，名称不得重复。") % {"number": number})
        found[name.strip()] = [value.strip() for value in COMMAS.split(values) if value.strip()]
    return found


def written_assignments(values: Mapping[str, Sequence[str]]) -> str:
    """Return name -> values as lines to be typed over."""
    return "\n".join(f"{name}={'、'.join(allowed)}" for name, allowed in values.items())
