"""Forms of the type catalogue: filters, the head of a type, an item, an element, the page, decisions, a use, a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.code_sets import CODE_SETS
from basedb.dictionary import BY_SUBJECT
from basedb.dictionary.contract import Grade
from basedb.masking import MASK_TITLES, Mask
from core.models import Department
from licenses.models import HolderKind, TypeVersion, ValidityKind
from licenses.types import uses
from licenses.types.facts import TypeFacts
from licenses.types.layout import ALIGN_TITLES, BUILT_IN, ELEMENT_TITLES, LARGEST_PAGE, SMALLEST_PAGE, Element, Layout
from licenses.types.rulebook import KIND_TITLES, LONGEST_VALUE, MASKS, Item, Rulebook
from portal.forms import FilterForm, OnceForm, PortalForm, RevisedForm

STANDINGS = (
    ("", gettext_lazy("全部")),
    ("LAID_OUT", gettext_lazy("已制版，可签发")),
    ("LISTED", gettext_lazy("仅入目录")),
    ("DRAFT", gettext_lazy("有草稿")),
    ("RETIRED", gettext_lazy("已停用")),
)
_LINES = forms.Textarea(attrs={"rows": 3})
_COLOR = forms.TextInput(attrs={"type": "color", "class": "form-control form-control-color"})


def _reason(label: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class TypeFilter(FilterForm):
    """Which types."""

    q = forms.CharField(label=gettext_lazy("名称、代码或定义机构"), max_length=100)
    holder_kind = forms.ChoiceField(label=gettext_lazy("持证主体"), choices=[("", gettext_lazy("全部")), *HolderKind.choices])
    standing = forms.ChoiceField(label=gettext_lazy("目录状态"), choices=STANDINGS)
    department = forms.ModelChoiceField(
        label=gettext_lazy("维护部门"), queryset=Department.objects.filter(valid_to=None), to_field_name="uid"
    )


class UseFilter(FilterForm):
    """Which lines of the list of uses."""

    matter = forms.CharField(label=gettext_lazy("事项"), max_length=200)
    type_code = forms.CharField(label=gettext_lazy("证照类型代码"), max_length=21)


class FactsFields(PortalForm):
    """The head of a type."""

    code = forms.CharField(
        label=gettext_lazy("证照类型代码"),
        max_length=21,
        help_text=gettext_lazy("21 位：定义机构的 18 位代码加 3 位顺序号，例如 11100000MB0143028R003。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    name = forms.CharField(label=gettext_lazy("证照类型名称"), max_length=200)
    defining_body = forms.CharField(label=gettext_lazy("定义机构"), max_length=200)
    defining_body_code = forms.CharField(label=gettext_lazy("定义机构代码"), max_length=18)
    holder_kind = forms.ChoiceField(label=gettext_lazy("持证主体类型"), choices=HolderKind.choices)
    holders_at_most = forms.IntegerField(label=gettext_lazy("持证主体数上限"), min_value=1, max_value=50, initial=1)
    is_repeatable = forms.BooleanField(
        label=gettext_lazy("同一主体可持有多份"),
        required=False,
        help_text=gettext_lazy("按房屋、车辆、设备、场所等逐件发证的选它；不选则同一主体只能有一份有效证照。"),
    )
    validity_kind = forms.ChoiceField(label=gettext_lazy("有效期规则"), choices=ValidityKind.choices)
    validity_months = forms.IntegerField(
        label=gettext_lazy("有效期（月）"),
        required=False,
        min_value=1,
        max_value=1200,
        help_text=gettext_lazy("只在按月计算时填写。"),
    )

    def facts(self) -> TypeFacts:
        """Return what was filled in."""
        return TypeFacts(**{name: self.cleaned_data[name] for name in TypeFacts.__dataclass_fields__})


class NewTypeForm(FactsFields, OnceForm):
    """A type that nobody has entered yet."""


class FactsForm(FactsFields, RevisedForm):
    """The head of a draft. `save` writes it, `preview` only draws it."""

    actions = ("save", "preview")


def _sources() -> list[tuple[str, Any]]:
    groups: list[tuple[str, Any]] = [("", gettext_lazy("不取自基础库"))]
    for code, dataset in BY_SUBJECT.items():
        groups.append((str(dataset.title), [(f"{code}.{field.name}", field.title) for field in dataset.fields]))
    return groups


class ItemForm(RevisedForm):
    """One item of the face. `save` writes it, `preview` only draws it."""

    actions = ("save", "preview")

    name = forms.CharField(
        label=gettext_lazy("项目名称"),
        max_length=40,
        help_text=gettext_lazy("接口用的英文名：小写字母开头，只含小写字母、数字和下划线。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    title = forms.CharField(label=gettext_lazy("标题"), max_length=60)
    kind = forms.ChoiceField(label=gettext_lazy("值类型"), choices=list(KIND_TITLES.items()))
    length = forms.IntegerField(
        label=gettext_lazy("最大长度"),
        min_value=1,
        max_value=LONGEST_VALUE,
        initial=100,
        help_text=gettext_lazy("文字、数值和金额的最多字符数；日期和代码不看它。"),
    )
    required = forms.BooleanField(label=gettext_lazy("签发时必填"), required=False)
    codes = forms.ChoiceField(
        label=gettext_lazy("代码集"),
        required=False,
        choices=[("", gettext_lazy("不用代码集")), *((code, one.title) for code, one in CODE_SETS.items())],
    )
    choices = forms.CharField(
        label=gettext_lazy("自列代码"),
        required=False,
        max_length=20_000,
        widget=_LINES,
        help_text=gettext_lazy("每行一个：代码、空格、名称。代码类项目用代码集或自列代码，二者选一。"),
    )
    grade = forms.ChoiceField(label=gettext_lazy("数据分级"), choices=[(grade.value, grade.value) for grade in Grade], initial="L2")
    mask = forms.ChoiceField(label=gettext_lazy("脱敏方式"), choices=[(mask, MASK_TITLES[Mask(mask)]) for mask in MASKS])
    source = forms.ChoiceField(label=gettext_lazy("基础库来源"), required=False, choices=_sources)
    example = forms.CharField(
        label=gettext_lazy("示例值"),
        required=False,
        max_length=LONGEST_VALUE,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("预览时显示，不要填写真实的个人信息。日期写作 2026-01-31，代码填代码。"),
    )

    @classmethod
    def values(cls, item: Item) -> dict[str, Any]:
        """Return what an item says, for the fields."""
        return item.to_json() | {"choices": "\n".join(f"{code} {label}" for code, label in item.choices)}

    def clean_choices(self) -> list[list[str]]:
        """Return pairs of code and label."""
        pairs = [line.split(maxsplit=1) for line in self.cleaned_data["choices"].splitlines() if line.strip()]
        if any(len(pair) != 2 for pair in pairs):
            raise ValidationError(_("每行应有代码和名称，中间用空格隔开。"))
        return pairs

    def record(self) -> dict[str, Any]:
        """Return the item as a rulebook keeps it."""
        example = self.cleaned_data["example"].replace("\r\n", "\n")
        names = ("name", "title", "kind", "length", "required", "codes", "choices", "grade", "mask", "source")
        return {name: self.cleaned_data[name] for name in names} | {"example": example}


class PageForm(RevisedForm):
    """The paper: its size and color."""

    actions = ("save", "preview")

    width = forms.FloatField(label=gettext_lazy("页宽(毫米)"), min_value=SMALLEST_PAGE, max_value=LARGEST_PAGE)
    height = forms.FloatField(label=gettext_lazy("页高(毫米)"), min_value=SMALLEST_PAGE, max_value=LARGEST_PAGE)
    background = forms.CharField(label=gettext_lazy("底色"), widget=_COLOR, max_length=7)

    @classmethod
    def values(cls, layout: Layout) -> dict[str, Any]:
        """Return what a layout says of its page."""
        return {"width": layout.width, "height": layout.height, "background": layout.background}

    def record(self) -> dict[str, Any]:
        """Return the page as a layout keeps it."""
        return {name: self.cleaned_data[name] for name in ("width", "height", "background")}


class ElementForm(RevisedForm):
    """One element of the layout. `save` writes it, `preview` only draws it."""

    actions = ("save", "preview")

    kind = forms.ChoiceField(label=gettext_lazy("元素"), choices=list(ELEMENT_TITLES.items()))
    text = forms.CharField(label=gettext_lazy("文字"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    item = forms.ChoiceField(label=gettext_lazy("显示的项目"), required=False)
    x = forms.FloatField(label=gettext_lazy("左边距(毫米)"), min_value=0, max_value=LARGEST_PAGE)
    y = forms.FloatField(label=gettext_lazy("上边距(毫米)"), min_value=0, max_value=LARGEST_PAGE)
    w = forms.FloatField(label=gettext_lazy("宽(毫米)"), min_value=0, max_value=LARGEST_PAGE)
    h = forms.FloatField(label=gettext_lazy("高(毫米)"), min_value=0, max_value=LARGEST_PAGE)
    size = forms.FloatField(label=gettext_lazy("字号(磅)"), min_value=4, max_value=72, initial=10.5)
    align = forms.ChoiceField(label=gettext_lazy("对齐"), choices=list(ALIGN_TITLES.items()))
    bold = forms.BooleanField(label=gettext_lazy("加粗"), required=False)
    top = forms.BooleanField(label=gettext_lazy("靠上"), required=False)
    stroke = forms.FloatField(label=gettext_lazy("线宽(毫米)"), min_value=0, max_value=10, initial=0.3)
    color = forms.CharField(label=gettext_lazy("颜色"), max_length=7, widget=_COLOR)
    is_filled = forms.BooleanField(label=gettext_lazy("框内填色"), required=False)
    fill = forms.CharField(label=gettext_lazy("填充颜色"), required=False, max_length=7, widget=_COLOR)

    def __init__(self, *args: Any, rulebook: Rulebook, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [("", gettext_lazy("—")), *((item.name, item.title) for item in rulebook.items), *BUILT_IN.items()]
        field = self.fields["item"]
        initial = str((kwargs.get("initial") or {}).get("item", ""))
        missing = initial and initial not in dict(known)
        field.choices = [*known, *([(initial, initial)] if missing else [])]  # type: ignore[attr-defined]

    @classmethod
    def values(cls, element: Element) -> dict[str, Any]:
        """Return what an element says, for the fields."""
        names = ("text", "item", "x", "y", "w", "h", "size", "bold", "top", "color", "stroke")
        given = {name: getattr(element, name) for name in names}
        shades = {"is_filled": bool(element.fill), "fill": element.fill or "#ffffff"}
        return given | {"kind": element.kind.value, "align": element.align.value} | shades

    def record(self) -> dict[str, Any]:
        """Return the element as a layout keeps it; what its kind does not use is left out."""
        given = self.cleaned_data
        kind = given["kind"]
        record: dict[str, Any] = {name: given[name] for name in ("kind", "x", "y", "w", "h", "color")}
        if kind in ("text", "item"):
            words = given[kind].replace("\r\n", "\n")
            record |= {kind: words, "size": given["size"], "align": given["align"], "bold": given["bold"], "top": given["top"]}
        if kind in ("rule", "box"):
            record["stroke"] = given["stroke"]
        if kind == "box" and given["is_filled"]:
            record["fill"] = given["fill"]
        return record


class MoveForm(RevisedForm):
    """A button of the editor: what to do with which item or element."""

    allowed_extra = frozenset({"do"})


class SubmitForm(RevisedForm):
    """Handing a draft over."""


class ReturnForm(RevisedForm):
    """Giving a draft back."""

    reason = _reason(gettext_lazy("退回原因"))


class PublishForm(RevisedForm):
    """Publishing a draft from a day on."""

    effective_from = forms.DateField(
        label=gettext_lazy("施行日期"),
        widget=forms.DateInput,
        help_text=gettext_lazy("今天或以后的日期；上一版到这一天为止。"),
    )


class RetireForm(PortalForm):
    """Retiring a type."""

    reason = _reason(gettext_lazy("停用原因"))


class EntrustForm(PortalForm):
    """Entrusting a type to another department."""

    department = forms.ModelChoiceField(
        label=gettext_lazy("新的维护部门"), queryset=Department.objects.filter(valid_to=None), to_field_name="uid"
    )


class OfficeForm(OnceForm):
    """A further office that is to issue a type."""

    department = forms.ModelChoiceField(
        label=gettext_lazy("签发机构"),
        queryset=Department.objects.filter(valid_to=None).order_by("region__code", "id"),
        to_field_name="uid",
        help_text=gettext_lazy("一般是各区（县）的同业务部门；它以本机构名义、用本机构的统一社会信用代码签发。"),
    )
    basis = forms.CharField(label=gettext_lazy("依据"), max_length=300, help_text=gettext_lazy("法律法规条款，或文件名称和文号。"))


class EndOfficeForm(PortalForm):
    """Ending an entrustment, or dropping a proposed one."""

    reason = _reason(gettext_lazy("终止原因"))


class CompareForm(FilterForm):
    """Which two versions."""

    old = forms.TypedChoiceField(label=gettext_lazy("旧版"), coerce=int)
    new = forms.TypedChoiceField(label=gettext_lazy("新版"), coerce=int)

    def __init__(self, *args: Any, versions: Iterable[TypeVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("old", "new"):
            choices = [(version.number, _("第 %(number)d 版") % {"number": version.number}) for version in versions]
            self.fields[name].choices = choices  # type: ignore[attr-defined]


class LoadForm(PortalForm):
    """A file of types. `check` says what it would do, `load` does it."""

    actions = ("check", "load")

    file = forms.FileField(
        label=gettext_lazy("证照目录文件（JSON 或 CSV）"),
        help_text=gettext_lazy("不超过 4 MB、1000 个类型；CSV 第一行为表头，编码为 UTF-8 或 GB18030。"),
        widget=forms.FileInput(attrs={"accept": ".json,.csv"}),
    )


class UseForm(OnceForm):
    """A line of the list of uses."""

    matter = forms.CharField(label=gettext_lazy("事项"), max_length=200, help_text=gettext_lazy("与事项清单中的名称完全一致。"))
    purpose = forms.CharField(label=gettext_lazy("用途"), max_length=200)
    basis = forms.CharField(label=gettext_lazy("依据"), max_length=300, help_text=gettext_lazy("法律法规名称和条款。"))
    items = forms.MultipleChoiceField(
        label=gettext_lazy("可用的照面项目"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("只选办理该事项必需的项目（最小必要）。"),
    )

    def __init__(self, *args: Any, names: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["items"].choices = list(names.items())  # type: ignore[attr-defined]

    def terms(self) -> uses.UseTerms:
        """Return what was filled in."""
        given = self.cleaned_data
        return uses.UseTerms(given["matter"], given["purpose"], given["basis"], tuple(given["items"]))


class EndUseForm(PortalForm):
    """Ending a line."""

    reason = _reason(gettext_lazy("终止原因"))
