"""Forms of laying a plan down and editing it: kind of source, where it is, which column is which field, timetable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from basedb.dictionary import DATASETS, Dataset
from basedb.matching.legacy import KINDS, kinds_of
from core.models import Department
from core.texts import bracketed
from exchange.aggregation.connectors.http_pages import PAGINGS
from exchange.aggregation.connectors.registry import DATABASES, DROPS
from exchange.aggregation.connectors.terms import Column
from exchange.models import ConnectorKind, DeleteMode
from portal.forms import OnceForm, PortalForm, RevisedForm

PAGING_TITLES = {
    "NONE": gettext_lazy("不分页"),
    "NEXT_LINK": gettext_lazy("应答中给出下一页地址"),
    "PAGE_NUMBER": gettext_lazy("按页码"),
    "CURSOR": gettext_lazy("按游标"),
}


class NewPlanForm(OnceForm):
    """Whose data, into what, from which kind of source."""

    title = forms.CharField(label=gettext_lazy("任务名称"), max_length=100)
    department = forms.ModelChoiceField(
        label=gettext_lazy("数源部门"), queryset=Department.objects.none(), to_field_name="uid", empty_label=None
    )
    connector = forms.ChoiceField(label=gettext_lazy("接入方式"), choices=ConnectorKind.choices)
    dataset = forms.ChoiceField(
        label=gettext_lazy("目标数据集"),
        required=False,
        help_text=gettext_lazy("不选则只做逆向编目，不归集数据。"),
    )

    def __init__(self, *args: Any, departments: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["department"].queryset = departments  # type: ignore[attr-defined]
        choices = [("", _("只做逆向编目")), *((code, str(dataset.title)) for code, dataset in DATASETS.items())]
        self.fields["dataset"].choices = choices  # type: ignore[attr-defined]


class PlaceForm(PortalForm):
    """Where the rows come from; `known` are the settings so far. A password is typed in and never shown."""

    secret_label = gettext_lazy("口令")

    def __init__(self, *args: Any, known: Mapping[str, Any], has_password: bool, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {**known, **kwargs.pop("more", {})})
        super().__init__(*args, **kwargs)
        if "password" in self.fields and has_password:
            self.fields["password"].help_text = _("已保存，不再显示；留空表示不更换。")

    def settings(self) -> dict[str, Any]:
        """Return what the plan keeps: everything that was filled in, without the password."""
        own = set(self.place_fields)
        return {name: value for name, value in self.cleaned_data.items() if name in own and value not in (None, "")}

    @property
    def place_fields(self) -> Sequence[str]:
        """The fields that say where the source is."""
        return [name for name in type(self).base_fields if name not in ("password", "revision", "submission")]


def _password(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=200,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("加密保存，保存后不再显示。"),
    )


class DatabaseForm(PlaceForm):
    """A table of a department's database."""

    host = forms.CharField(label=gettext_lazy("主机"), max_length=253, help_text=gettext_lazy("须已登记在外联白名单中。"))
    port = forms.IntegerField(
        label=gettext_lazy("端口"),
        min_value=1,
        max_value=65_535,
        required=False,
        help_text=gettext_lazy("不填按该类数据库的常用端口。"),
    )
    database = forms.CharField(label=gettext_lazy("库名（Oracle 填服务名）"), max_length=63)
    user = forms.CharField(label=gettext_lazy("只读账号"), max_length=63)
    table = forms.CharField(
        label=gettext_lazy("表或视图"),
        max_length=128,
        help_text=gettext_lazy("可写作「模式.表名」；不清楚表名时可先填任意名称，检查时列出全部表。"),
    )
    password = _password(gettext_lazy("口令"))


class DropForm(PlaceForm):
    """A folder of the exchange node."""

    folder = forms.CharField(label=gettext_lazy("前置机目录"), max_length=200, help_text=gettext_lazy("相对于前置机根目录。"))
    pattern = forms.CharField(
        label=gettext_lazy("文件名规则"), max_length=100, required=False, help_text=gettext_lazy("例如 rk_*.csv。")
    )
    most_megabytes = forms.IntegerField(label=gettext_lazy("单个文件上限（MB）"), min_value=1, max_value=1_048_576, required=False)


class WorkbookForm(DropForm):
    """Workbooks in a folder."""

    sheet = forms.CharField(label=gettext_lazy("工作表"), help_text=gettext_lazy("不填读取第一张。"), max_length=60, required=False)


class ShapesForm(DropForm):
    """Files of geometries in a folder."""

    layer = forms.CharField(
        label=gettext_lazy("图层"), help_text=gettext_lazy("文件只有一个图层时可不填。"), max_length=60, required=False
    )
    srid = forms.TypedChoiceField(
        label=gettext_lazy("文件未写明坐标系时按"),
        choices=[("", gettext_lazy("退回")), ("4490", "CGCS2000"), ("4326", "WGS84")],
        coerce=int,
        empty_value=None,
        required=False,
    )


class HttpForm(PlaceForm):
    """An interface that hands out pages of JSON."""

    url = forms.CharField(label=gettext_lazy("地址"), max_length=300, help_text=gettext_lazy("主机须已登记在外联白名单中。"))
    items = forms.CharField(
        label=gettext_lazy("记录列表的位置"), max_length=100, required=False, help_text=gettext_lazy("JSON 指针，例如 /data/list。")
    )
    total = forms.CharField(label=gettext_lazy("总数的位置"), max_length=100, required=False)
    paging = forms.ChoiceField(label=gettext_lazy("分页方式"), choices=[(name, PAGING_TITLES[name]) for name in PAGINGS])
    next = forms.CharField(label=gettext_lazy("下一页地址或游标的位置"), max_length=100, required=False)
    parameter = forms.CharField(label=gettext_lazy("页码或游标的参数名"), max_length=60, required=False)
    first = forms.IntegerField(label=gettext_lazy("首页页码"), min_value=0, max_value=1, required=False)
    size_parameter = forms.CharField(label=gettext_lazy("每页条数的参数名"), max_length=60, required=False)
    size = forms.IntegerField(label=gettext_lazy("每页条数"), min_value=1, max_value=10_000, required=False)
    since_parameter = forms.CharField(label=gettext_lazy("增量起点的参数名"), max_length=60, required=False)
    header = forms.CharField(label=gettext_lazy("认证请求头"), max_length=60, required=False)
    password = _password(gettext_lazy("请求头的值"))


def place_form_of(connector: str) -> type[PlaceForm]:
    """Return the form that asks where a source of this kind is."""
    if connector in DATABASES:
        return DatabaseForm
    own = {ConnectorKind.EXCEL_DROP: WorkbookForm, ConnectorKind.GEO_DROP: ShapesForm}
    return own.get(ConnectorKind(connector), DropForm if connector in DROPS else HttpForm)


def _told(column: Column) -> str:
    """Return a column of a source by its name, with its comment and type."""
    told = f"{column.name} {column.comment}".strip()
    return bracketed(told, column.data_type) if column.data_type else told


class MappingForm(PortalForm):
    """Which column is which field, and which ones are key, cursor and start of validity."""

    key_column = forms.ChoiceField(
        label=gettext_lazy("源主键"), required=False, help_text=gettext_lazy("数据库必填；用于续传、去重和删除比对。")
    )
    cursor_column = forms.ChoiceField(
        label=gettext_lazy("增量字段"), required=False, help_text=gettext_lazy("时间类型；不选则每次读取全表。")
    )
    valid_from_column = forms.ChoiceField(label=gettext_lazy("生效时间字段"), required=False)

    def __init__(self, *args: Any, dataset: Dataset, columns: Sequence[Column], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names = dataset.field_names
        choices = [("", "—"), *((column.name, _told(column)) for column in columns)]
        for name in ("key_column", "cursor_column", "valid_from_column"):
            self.fields[name].choices = choices  # type: ignore[attr-defined]
        for field in dataset.fields:
            label = f"{field.title} *" if field.required else field.title
            self.fields[f"field_{field.name}"] = forms.ChoiceField(
                label=label, choices=choices, required=False, widget=forms.Select(attrs={"class": "form-select"})
            )

    def mapping(self) -> dict[str, Any]:
        """Return what the draft keeps."""
        given = self.cleaned_data
        columns = {name: given[f"field_{name}"] for name in self._names if given.get(f"field_{name}")}
        return {"columns": columns, **{name: given[name] for name in ("key_column", "cursor_column", "valid_from_column")}}


class LimitsForm(PortalForm):
    """Timetable and limits."""

    every_minutes = forms.IntegerField(
        label=gettext_lazy("周期（分钟）"),
        min_value=1,
        max_value=525_600,
        required=False,
        help_text=gettext_lazy("不填为静态归集：只在手工启动时运行。"),
    )
    lag_seconds = forms.IntegerField(
        label=gettext_lazy("回看窗口（秒）"),
        min_value=0,
        max_value=2_592_000,
        initial=300,
        help_text=gettext_lazy("数源提交较迟的记录在窗口内会再读一次。"),
    )
    batch_size = forms.IntegerField(label=gettext_lazy("批大小（行）"), min_value=100, max_value=1_000_000, initial=50_000)
    reject_limit_percent = forms.IntegerField(
        label=gettext_lazy("拒收上限（%）"),
        min_value=0,
        max_value=100,
        initial=20,
        help_text=gettext_lazy("一次运行读满 100 行起判断。超过任一拒收上限时，该批不入库，运行停止。"),
    )
    reject_limit_count = forms.IntegerField(
        label=gettext_lazy("拒收上限（行）"),
        min_value=0,
        max_value=1_000_000_000,
        required=False,
        help_text=gettext_lazy("一次运行最多拒收的行数；0 表示一行也不允许，不填则只按比例。"),
    )
    delete_limit_percent = forms.IntegerField(label=gettext_lazy("删除上限（%）"), min_value=0, max_value=100, initial=10)
    parts = forms.IntegerField(label=gettext_lazy("并行分片"), min_value=1, max_value=64, initial=1)


OLD_NUMBERS = [(code, title) for dataset in KINDS for code, title in kinds_of(dataset).items()]


class ScheduleForm(LimitsForm, OnceForm):
    """The last step: timetable, part of the source, deletes, limits."""

    is_lead = forms.TypedChoiceField(
        label=gettext_lazy("数源作用"),
        choices=[("1", gettext_lazy("主数源：建立主体，须对应全部必填项")), ("0", gettext_lazy("补充数源：为已有主体补充信息项"))],
        coerce=lambda value: value == "1",
        initial="1",
    )
    is_keyless = forms.BooleanField(
        label=gettext_lazy("记录可以没有标识"),
        required=False,
        help_text=gettext_lazy("没有公民身份号码或统一社会信用代码的记录先不归并，由平台匹配主体。"),
    )
    row_key_kind = forms.ChoiceField(
        label=gettext_lazy("源主键所用旧标识"),
        required=False,
        choices=[("", gettext_lazy("不是旧标识")), *OLD_NUMBERS],
        help_text=gettext_lazy("源主键是护照号码、工商注册号等时选择，据此匹配主体。"),
    )
    delete_mode = forms.ChoiceField(label=gettext_lazy("删除处理"), choices=DeleteMode.choices, initial=DeleteMode.NONE)
    tombstone_column = forms.CharField(
        label=gettext_lazy("删除标志字段"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("删除处理选“按删除标志”时填写，标志值亦然。"),
    )
    tombstone_value = forms.CharField(label=gettext_lazy("删除标志值"), max_length=20, required=False)

    field_order = (
        "every_minutes",
        "is_lead",
        "is_keyless",
        "row_key_kind",
        "delete_mode",
        "tombstone_column",
        "tombstone_value",
        "lag_seconds",
    )

    def values(self) -> dict[str, Any]:
        """Return what the process function takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "submission"}


class CatalogForm(OnceForm):
    """The title of a draft entry made of a table."""

    title = forms.CharField(label=gettext_lazy("资源名称"), max_length=100)


class SimpleForm(PortalForm):
    """A button."""


class ChangeForm(PortalForm):
    """What becomes of a new column."""

    field = forms.ChoiceField(label=gettext_lazy("对应信息项"), required=False)

    def __init__(self, *args: Any, choices: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["field"].choices = [("", _("不纳入")), *choices]  # type: ignore[attr-defined]


def edit_form_of(connector: str) -> type[Any]:
    """Return the form that edits a plan of this kind: title, timetable and limits, then its place."""
    place = place_form_of(connector)

    class EditForm(RevisedForm, LimitsForm, place):  # type: ignore[misc, valid-type]
        title = forms.CharField(label=gettext_lazy("任务名称"), max_length=100)
        field_order = ("title", *LimitsForm.base_fields, *place.base_fields)

        @property
        def place_fields(self) -> Sequence[str]:
            return [name for name in place.base_fields if name != "password"]

        def values(self) -> dict[str, Any]:
            return {name: self.cleaned_data[name] for name in ("title", *LimitsForm.base_fields)}

    return EditForm
