"""Forms of the catalogue: the filters of the list, an entry with its items, a decision, a mounting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import mounting
from catalog.content import DATA_TYPES, ELEMENTS, ITEM_ELEMENTS, SOURCE_FORMATS, Entry, Item
from catalog.models import BaseDatabase, DataItem, Grade, Resource, ResourceState, ShareAttribute, SharingMode, UpdateCycle
from catalog.publishing import LONGEST_REASON
from core.models import Region
from portal.forms import CLASSES, FilterForm, OnceForm, PortalForm, RevisedForm, has_control_characters, speak_plainly

BLANK_ROWS = 3
FIRST_GRADE = Grade.L2.value
MOST_ROWS = 200
CONTROL_PARAMETERS = (
    ("USER_ID", gettext_lazy("须传办理人身份")),
    ("MATTER", gettext_lazy("须传办理事项")),
    ("CONSENT", gettext_lazy("须当事人授权")),
)


def _optional(choices: Iterable[tuple[str, Any]], label: Any) -> list[tuple[str, Any]]:
    return [("", label), *choices]


class SearchForm(FilterForm):
    """What the list is asked for; everything stands in the URL."""

    q = forms.CharField(label=gettext_lazy("关键词"), max_length=100)
    base_database = forms.ChoiceField(choices=_optional(BaseDatabase.choices, gettext_lazy("全部")))
    share_attribute = forms.ChoiceField(choices=_optional(ShareAttribute.choices, gettext_lazy("全部")))
    provider = forms.UUIDField()
    grade = forms.ChoiceField(choices=_optional(Grade.choices, gettext_lazy("全部")))
    mode = forms.ChoiceField(choices=_optional(SharingMode.choices, gettext_lazy("全部")))


class MineForm(FilterForm):
    """The own department's entries by state."""

    state = forms.ChoiceField(label=gettext_lazy("状态"), choices=_optional(ResourceState.choices, gettext_lazy("全部")))


class DecisionForm(RevisedForm):
    """A command on an entry; whether a reason is needed is a rule, not a field's matter."""

    reason = forms.CharField(
        label=gettext_lazy("意见"),
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("退回或下线时必须填写原因，对方会看到。"),
    )


class EntryForm(PortalForm):
    """The elements of an entry (信息资源核心元数据). Its items are an `ItemFormSet` in the same form."""

    title = forms.CharField(
        label=gettext_lazy("资源名称"),
        max_length=100,
        help_text=gettext_lazy("按数据内容命名，例如“户籍人口基本信息”；不要用系统名称。"),
    )
    classification = forms.CharField(
        label=gettext_lazy("资源分类"),
        max_length=20,
        required=False,
        help_text=gettext_lazy("类、项、目、细目代码：人口 101001，法人 102001，部门 307001。发布时按它赋资源代码。"),
    )
    base_database = forms.ChoiceField(
        label=gettext_lazy("所属基础库"), required=False, choices=_optional(BaseDatabase.choices, gettext_lazy("不属于基础库"))
    )
    summary = forms.CharField(
        label=gettext_lazy("资源摘要"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("说明数据的内容、范围和用途，别的部门靠它判断是否有用。"),
    )
    keywords = forms.CharField(
        label=gettext_lazy("关键词"), max_length=200, required=False, help_text=gettext_lazy("用空格或顿号分开。")
    )
    region_id = forms.ModelChoiceField(label=gettext_lazy("数据所在区划"), queryset=Region.objects.none())
    source_format = forms.ChoiceField(label=gettext_lazy("资源格式"), choices=[(text, text) for text in SOURCE_FORMATS])
    update_cycle = forms.ChoiceField(label=gettext_lazy("更新周期"), choices=UpdateCycle.choices)
    share_attribute = forms.ChoiceField(label=gettext_lazy("共享属性"), choices=ShareAttribute.choices)
    share_conditions = forms.CharField(
        label=gettext_lazy("共享条件"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("有条件共享必填：共享范围、使用用途等。"),
    )
    withheld_basis = forms.CharField(
        label=gettext_lazy("不予共享的依据"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("不予共享必填：法律、行政法规或者国务院决定。"),
    )
    sharing_modes = forms.MultipleChoiceField(
        label=gettext_lazy("共享方式"), required=False, choices=SharingMode.choices, widget=forms.CheckboxSelectMultiple
    )
    control_parameters = forms.MultipleChoiceField(
        label=gettext_lazy("管控参数"),
        required=False,
        choices=CONTROL_PARAMETERS,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("无条件共享但设了管控参数的，申请时由提供方审核。"),
    )
    grade = forms.ChoiceField(
        label=gettext_lazy("数据分级"), choices=Grade.choices, help_text=gettext_lazy("不低于信息项的最高分级。")
    )
    concerns_minors = forms.BooleanField(
        label=gettext_lazy("涉及未成年人"),
        required=False,
        help_text=gettext_lazy("数据主要为未成年人的，须勾选；授权时须两名审核人员同意。"),
    )
    secrecy_assessment = forms.CharField(
        label=gettext_lazy("保密风险评估"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("提交前必填：结论、评估人和日期。"),
    )
    personal_information_assessment = forms.CharField(
        label=gettext_lazy("个人信息保护影响评估"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("提交前必填；不涉及个人信息的也请写明。"),
    )

    actions = ("save", "submit", "add-rows")

    def __init__(self, *args: Any, regions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        region: Any = self.fields["region_id"]
        region.queryset = regions
        self.allowed_extra = frozenset({"dataset", *(name for name in self.data if name.startswith("items-"))})

    def entry(self, items: Sequence[Item]) -> Entry:
        """Return what was filled in."""
        values = {name: self.cleaned_data[name] for name in ELEMENTS if name in self.cleaned_data}
        values["region_id"] = values["region_id"].pk
        values |= {name: tuple(values[name]) for name in ("sharing_modes", "control_parameters")}
        return Entry(**values, items=tuple(items))


class NewEntryForm(EntryForm, OnceForm):
    """A new entry, made once."""


class ExistingEntryForm(EntryForm, RevisedForm):
    """An existing draft."""


class ItemForm(forms.Form):
    """One row of the items. An empty row is skipped, a ticked one is dropped."""

    name = forms.CharField(label=gettext_lazy("字段名"), max_length=40, required=False)
    title = forms.CharField(label=gettext_lazy("信息项名称"), max_length=60, required=False)
    data_type = forms.ChoiceField(
        label=gettext_lazy("类型"), required=False, choices=lambda: [(code, f"{code} {text}") for code, text in DATA_TYPES.items()]
    )
    length = forms.IntegerField(label=gettext_lazy("长度"), required=False, min_value=1, max_value=1_000_000)
    grade = forms.ChoiceField(
        label=gettext_lazy("分级"), required=False, choices=[(value, value) for value in Grade.values], initial=FIRST_GRADE
    )
    mask = forms.ChoiceField(label=gettext_lazy("默认脱敏"), required=False, choices=lambda: list(mounting.mask_titles().items()))
    standard = forms.CharField(label=gettext_lazy("数据标准"), max_length=60, required=False)
    is_key = forms.BooleanField(label=gettext_lazy("主键"), required=False)
    is_sensitive = forms.BooleanField(label=gettext_lazy("敏感"), required=False)
    is_withheld = forms.BooleanField(label=gettext_lazy("不予共享"), required=False)
    dropped = forms.BooleanField(label=gettext_lazy("删除"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            speak_plainly(field)
            style = next(style for kind, style in CLASSES if isinstance(field.widget, kind))
            small = {"form-control": " form-control-sm", "form-select": " form-select-sm"}.get(style, "")
            field.widget.attrs["class"] = style + small
            field.widget.attrs["aria-label"] = field.label

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("dropped"):
            self.errors.clear()
            return cleaned
        for name, value in list(cleaned.items()):
            if isinstance(value, str) and has_control_characters(value):
                self.add_error(name, ValidationError(_("不能含有控制字符。"), code="control_characters"))
        if not self.is_blank():
            for name in ("name", "title"):
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, ValidationError(_("请填写。"), code="required"))
        return cleaned

    def is_blank(self) -> bool:
        """Return whether nothing was written into the row."""
        return not (self.cleaned_data.get("name") or self.cleaned_data.get("title"))

    def item(self) -> Item:
        """Return the row as an item."""
        values = {name: self.cleaned_data[name] for name in ITEM_ELEMENTS}
        defaults = {"data_type": "C", "grade": "L2", "mask": "NONE"}
        return Item(**values | {name: values[name] or default for name, default in defaults.items()})


class BaseItemFormSet(forms.BaseFormSet):  # type: ignore[type-arg]  # not subscriptable at run time
    """The rows of the items."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "missing_management_form": gettext_lazy("信息项表格不完整，内容没有保存。请重新打开页面后再填写。"),
        "too_many_forms": gettext_lazy("信息项最多 %(num)d 行。"),
    }

    def clean(self) -> None:
        fields = set(ItemForm.base_fields)
        known = re.compile(r"items-(?:\d{1,4}-(?P<field>[a-z_]+)|(?:TOTAL|INITIAL|MIN_NUM|MAX_NUM)_FORMS)")
        for name in self.data:
            if name.startswith("items-") and ((match := known.fullmatch(name)) is None or match["field"] not in {None, *fields}):
                raise ValidationError(_("表单含有未知字段：%(names)s") % {"names": name[:100]}, code="unknown_field")

    def items(self) -> list[Item]:
        """Return the rows that stay."""
        return [form.item() for form in self.forms if not form.is_blank() and not form.cleaned_data.get("dropped")]


ItemFormSet = cast(
    type[BaseItemFormSet],
    forms.formset_factory(
        ItemForm, formset=BaseItemFormSet, extra=BLANK_ROWS, max_num=MOST_ROWS, absolute_max=MOST_ROWS + 50, validate_max=True
    ),
)


class MountForm(RevisedForm):
    """Which column of a dataset serves which item: one choice a row, named `column-<item>`."""

    def __init__(
        self, *args: Any, items: Iterable[DataItem], dataset: mounting.Dataset, columns: dict[str, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choices = _optional(((field.name, f"{field.title} {field.name} ({field.grade})") for field in dataset.fields), _("不提供"))
        for item in items:
            self.fields[f"column-{item.name}"] = forms.ChoiceField(
                label=item.title,
                required=False,
                choices=choices,
                initial=columns.get(item.name, ""),
                widget=forms.Select(attrs={"class": "form-select"}),
            )
        self.allowed_extra = frozenset({"dataset"})

    def columns(self) -> dict[str, str]:
        """Return item name -> column for the rows that were mapped."""
        return {
            name.removeprefix("column-"): value for name, value in self.cleaned_data.items() if name.startswith("column-") and value
        }

    def add_problems(self, problems: dict[str, list[str]]) -> None:
        """Put the answers of the rule beside the rows they are about."""
        for name, texts in problems.items():
            self.add_error(f"column-{name}" if f"column-{name}" in self.fields else None, [str(text) for text in texts])


def initial_of(entry: Entry) -> dict[str, Any]:
    """Return the initial values of an entry's form."""
    values = {name: getattr(entry, name) for name in ELEMENTS}
    return values | {name: list(values[name]) for name in ("sharing_modes", "control_parameters")}


def initial_items(entry: Entry) -> list[dict[str, Any]]:
    """Return the initial values of the items' rows."""
    return [{name: getattr(item, name) for name in ITEM_ELEMENTS} for item in entry.items]


def regions_of(resource: Resource) -> Any:
    """Return the divisions an entry of this provider may lie in: the provider's own and those below it."""
    own = resource.provider.region
    return Region.objects.filter(code__startswith=own.code, level__in=["PROVINCE", "CITY", "COUNTY"], valid_to=None).order_by(
        "code"
    )
