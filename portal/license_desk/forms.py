"""Forms of the issuing desk: a draft as its type's rulebook has it, steps, reasons, filters, a file of a batch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import DomainError, Invalid
from licenses.issuing.desks import LONGEST
from licenses.issuing.workflow import BatchCommand, DraftCommand
from licenses.models import BatchState, DraftState, LicenseState, PaperState, TypeVersion, ValidityKind
from licenses.types.rulebook import Item, ItemKind, Rulebook
from portal.forms import FilterForm, OnceForm, PortalForm, RevisedForm

LONG_TEXT: Final = 120
HOLDER_ROWS: Final = 6
FREE_ROWS: Final = 2  # beyond the holders there are, for one or two more
_TYPED_HOLDER = re.compile(r"holder_(\d{1,2})_(?:name|code)")
_HOLDER_FIELD = re.compile(r"holders\[(\d+)\]\.(name|code)")
_NO_FILL: Final = {"autocomplete": "off", "spellcheck": "false"}


def lines(label: Any, *, hint: Any = "", required: bool = True) -> forms.CharField:
    """Return a field of several lines."""
    return forms.CharField(
        label=label, max_length=LONGEST, help_text=hint, required=required, widget=forms.Textarea(attrs={"rows": 3})
    )


class FaceForm(PortalForm):
    """What the forms of a draft share: holders, dates and the items of the face; which fields there are says the type."""

    holder_count = 1
    item_names: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """Return what was typed as the rules take it."""
        given = self.cleaned_data
        numbers = range(1, self.holder_count + 1)
        holders = [{"name": given.get(f"holder_{n}_name", ""), "code": given.get(f"holder_{n}_code", "")} for n in numbers]
        return {
            "holders": [holder for holder in holders if holder["name"] or holder["code"]],
            "number": given.get("number", ""),
            "region_code": given["region_code"],
            "valid_from": given.get("valid_from"),
            "valid_to": given.get("valid_to"),
            "has_paper": given["has_paper"],
            "face": {name: given[f"face_{name}"] for name in self.item_names if given.get(f"face_{name}")},
        }

    def add_domain_error(self, error: DomainError) -> None:
        """Show a refusal on the fields it names."""
        details: dict[str, Any] = {}
        for name, texts in error.details.items():
            details.setdefault(_form_field(str(name)), []).extend(texts if isinstance(texts, list) else [texts])
        renamed = error if error.code == "submission.reused" else Invalid(error.code, error.message, details)
        super().add_domain_error(renamed)


def _form_field(name: str) -> str:
    if match := _HOLDER_FIELD.fullmatch(name):
        return f"holder_{match[1]}_{match[2]}"
    return "holder_1_code" if name == "holders" else name.replace("face.", "face_", 1)


class NewDraftForm(FaceForm, OnceForm):
    """A new draft."""


class NextDraftForm(FaceForm, OnceForm):
    """The draft of the next version of a license."""

    reason = lines(gettext_lazy("事由"), hint=gettext_lazy("写明变更、延续或补发的原因。"))
    basis = lines(gettext_lazy("依据"), hint=gettext_lazy("例如《中华人民共和国行政许可法》第四十九条、第五十条。"), required=False)


class EditDraftForm(FaceForm, RevisedForm):
    """A draft that is mended."""


def face_form(
    base: type[FaceForm], version: TypeVersion, *, has_number: bool = True, holders: int = 0, typed: Iterable[str] = ()
) -> type[Any]:
    """Return a form of a type: a row for each of so many holders and some free ones, its validity, its items.

    `typed` are the names of the fields that come back: a form that is sent has every row it had when it was filled in.
    """
    rulebook = Rulebook.of(version.rulebook)
    sent = max((int(match[1]) for name in typed if (match := _TYPED_HOLDER.fullmatch(name))), default=0)
    count = max(holders, min(version.holders_at_most, max(HOLDER_ROWS, sent, holders + FREE_ROWS)))
    fields: dict[str, Any] = {}
    for number in range(1, count + 1):
        mark = {"number": number} if count > 1 else {}
        fields[f"holder_{number}_name"] = _text(
            _("持证主体 %(number)d 名称") % mark if mark else _("持证主体名称"), 200, required=number == 1
        )
        fields[f"holder_{number}_code"] = _text(
            _("持证主体 %(number)d 代码") % mark if mark else _("持证主体代码"), 18, required=number == 1,
            hint=_("公民身份号码或统一社会信用代码。"),
        )  # fmt: skip
    if has_number:
        fields["number"] = _text(_("证照编号"), 100, hint=_("不填则签发时以流水号为编号。"))
    fields["valid_from"] = forms.DateField(label=_("有效期起"), required=False, widget=forms.DateInput, help_text=_("不填为今天。"))
    if version.validity_kind != ValidityKind.UNLIMITED:
        stated = version.validity_kind == ValidityKind.STATED
        hint = "" if stated else _("不填则按 %(months)s 个月计算。") % {"months": version.validity_months}
        fields["valid_to"] = forms.DateField(label=_("有效期止"), required=stated, widget=forms.DateInput, help_text=hint)
    fields["region_code"] = _text(_("管辖属地"), 12, required=True, hint=_("6、9 或 12 位区划代码。"))
    fields["has_paper"] = forms.BooleanField(label=_("同时发放纸质证照"), required=False)
    for item in rulebook.items:
        fields[f"face_{item.name}"] = _item_field(item)
    names = tuple(item.name for item in rulebook.items)
    return type(base.__name__, (base,), {**fields, "holder_count": count, "item_names": names, "__module__": __name__})


def initial_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the initial values of such a form."""
    initial = {name: values.get(name) for name in ("number", "region_code", "valid_from", "valid_to", "has_paper")}
    for number, holder in enumerate(values.get("holders") or (), start=1):
        initial |= {f"holder_{number}_name": holder["name"], f"holder_{number}_code": holder["code"]}
    return initial | {f"face_{name}": value for name, value in (values.get("face") or {}).items()}


def _text(label: str, longest: int, *, required: bool = False, hint: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, max_length=longest, required=required, help_text=hint, widget=forms.TextInput(attrs=dict(_NO_FILL))
    )


def _item_field(item: Item) -> forms.Field:
    if item.kind is ItemKind.CODE:
        return forms.ChoiceField(label=item.title, required=item.required, choices=[("", _("请选择")), *item.labels.items()])
    if item.kind is ItemKind.DATE:
        return _DayField(label=item.title, required=item.required, widget=forms.DateInput)
    widget = forms.Textarea(attrs={"rows": 2}) if item.length > LONG_TEXT else forms.TextInput(attrs=dict(_NO_FILL))
    hint = _("例如：%(example)s") % {"example": item.example} if item.example else ""
    return forms.CharField(label=item.title, required=item.required, max_length=item.length, widget=widget, help_text=hint)


class _DayField(forms.DateField):
    """A day as the face of a license has it: text."""

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        return day.isoformat() if isinstance(day, date) else ""


class DraftStepForm(RevisedForm):
    """One step of a draft; the buttons are the commands its desk has."""

    remark = lines(gettext_lazy("意见"), required=False, hint=gettext_lazy("退回时必填，其他操作可不填。"))
    actions = tuple(DraftCommand)

    def add_domain_error(self, error: DomainError) -> None:
        """Show a refusal; what a check before signing found is listed one by one."""
        super().add_domain_error(error)
        if error.code == "draft.check_failed":
            for texts in error.details.values():
                for text in texts:
                    self.add_error(None, str(text))


class BatchStepForm(RevisedForm):
    """One step of a batch."""

    remark = lines(gettext_lazy("意见"), required=False, hint=gettext_lazy("退回时必填，其他操作可不填。"))
    actions = tuple(BatchCommand)


class ChangeForm(PortalForm):
    """Why the state of a license changes."""

    reason = lines(gettext_lazy("事由"))
    basis = lines(gettext_lazy("法律依据和文书号"), required=False)


class PaperForm(PortalForm):
    """What happened to the paper."""

    paper_number = forms.CharField(label=gettext_lazy("纸质证照印制号"), max_length=50, required=False)
    reason = lines(gettext_lazy("情况说明"), required=False)


class LicenseFilter(FilterForm):
    """Which licenses of the department."""

    type_code = forms.ChoiceField(label=gettext_lazy("证照类型"))
    state = forms.ChoiceField(label=gettext_lazy("状态"), choices=[("", gettext_lazy("全部")), *LicenseState.choices])
    month = forms.RegexField(
        label=gettext_lazy("颁发月份"), regex=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", widget=forms.TextInput(attrs={"type": "month"}),
        error_messages={"invalid": gettext_lazy("请填写年月，例如 2026-01。")},
    )  # fmt: skip
    expires_on = forms.DateField(label=gettext_lazy("到期日"), widget=forms.DateInput)

    def __init__(self, *args: Any, types: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["type_code"].choices = [("", _("全部")), *types]  # type: ignore[attr-defined]


class FindForm(PortalForm):
    """A license by its number or identifier, or those of a holder; sent by POST, kept nowhere."""

    typed = forms.CharField(
        label=gettext_lazy("证照编号、证照标识或持证主体代码"),
        max_length=128,
        help_text=gettext_lazy("只用于本次查询，不保存、不写入网址和日志。"),
        widget=forms.TextInput(attrs=dict(_NO_FILL)),
    )


class DraftFilter(FilterForm):
    """Which drafts."""

    state = forms.ChoiceField(label=gettext_lazy("环节"), choices=[("", gettext_lazy("全部")), *DraftState.choices])
    mine = forms.ChoiceField(label=gettext_lazy("范围"), choices=[("", gettext_lazy("本部门")), ("1", gettext_lazy("我经办的"))])


class PaperFilter(FilterForm):
    """Which differences between paper and electronic license."""

    paper_state = forms.ChoiceField(
        label=gettext_lazy("纸质证照"),
        choices=[
            ("", gettext_lazy("全部")),
            *((s.value, s.label) for s in (PaperState.TO_PRINT, PaperState.TO_RECALL, PaperState.LOST)),
        ],
    )


class BatchFilter(FilterForm):
    """Which batches."""

    state = forms.ChoiceField(label=gettext_lazy("环节"), choices=[("", gettext_lazy("全部")), *BatchState.choices])


class BatchForm(OnceForm):
    """A file with licenses to be issued."""

    type_code = forms.ChoiceField(label=gettext_lazy("证照类型"))
    file = forms.FileField(
        label=gettext_lazy("文件（CSV 或 XLSX）"),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
        help_text=gettext_lazy(
            "请使用该类型的模板；持证主体较多时可加列“持证主体7”“持证主体代码7”，依此类推；最多 5 万行、20 MB。"
        ),
        error_messages={"required": gettext_lazy("请选择文件。"), "empty": gettext_lazy("文件是空的。")},
    )

    def __init__(self, *args: Any, types: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["type_code"].choices = types  # type: ignore[attr-defined]
