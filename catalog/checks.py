"""What an entry must satisfy (目录校验): first what any draft must, then what a submission must (第 809 号令第十三条).

The rules follow 发改高技〔2017〕1272号 and the grading table of the platform. Each answer names the field, in `details`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from catalog import codes, mounting
from catalog.content import DATA_TYPES, SOURCE_FORMATS, Entry, Item
from catalog.models import BaseDatabase, Grade, Resource, ShareAttribute, SharingMode, UpdateCycle
from core.errors import Invalid
from core.texts import bare, listed, visible

ITEM_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
SYSTEM_NAME = re.compile(r"(系统|平台|数据库|软件|app|小程序|网站)$", re.IGNORECASE)
FILE_FORMATS = frozenset({"电子文件", "图形图像", "流媒体"})
MOST_ITEMS = 200

Problems = dict[str, list[str]]


def check_draft(entry: Entry, resource: Resource) -> None:
    """Raise Invalid for what not even a draft may hold: unknown codes, names that are taken, broken items."""
    problems: Problems = defaultdict(list)
    if not bare(entry.title):
        problems["title"].append(_("请填写资源名称。"))
    elif _taken(entry, resource):
        problems["title"].append(_("本部门已有同名目录（名称仅标点、空格或大小写不同也算同名）。"))
    if entry.classification and not _is_classification(entry.classification):
        problems["classification"].append(_("资源分类应为 1、2 或 3 开头的偶数位代码，例如 101001。"))
    _known(problems, "base_database", entry.base_database, ["", *BaseDatabase.values])
    _known(problems, "source_format", entry.source_format, SOURCE_FORMATS)
    _known(problems, "update_cycle", entry.update_cycle, UpdateCycle.values)
    _known(problems, "share_attribute", entry.share_attribute, ShareAttribute.values)
    _known(problems, "grade", entry.grade, Grade.values)
    for mode in entry.sharing_modes:
        _known(problems, "sharing_modes", mode, SharingMode.values)
    if entry.share_attribute == ShareAttribute.CONDITIONAL and not visible(entry.share_conditions):
        problems["share_conditions"].append(_("有条件共享必须写明共享条件（共享范围、使用用途等）。"))
    if entry.share_attribute == ShareAttribute.WITHHELD and not visible(entry.withheld_basis):
        problems["withheld_basis"].append(_("不予共享必须写明理由和法律、行政法规或者国务院决定依据。"))
    original = resource.change_of
    if original is not None and entry.classification != original.classification:
        problems["classification"].append(_("资源代码已按原分类赋码，变更时不能改分类。"))
    _check_items(problems, entry.items)
    _refuse(problems)


def check_submission(entry: Entry, resource: Resource) -> None:
    """Raise Invalid for what is missing before the own head sees the entry; every shortfall is told at once."""
    problems: Problems = defaultdict(list)
    for field, ask in _MUST_BE_FILLED.items():
        if not visible(str(getattr(entry, field))):
            problems[field].append(str(ask))
    if SYSTEM_NAME.search(entry.title.strip()):
        problems["title"].append(_("目录应以数据内容命名，不能以系统、平台或数据库命名。"))
    if entry.classification and not _fits_base_database(entry):
        problems["classification"].append(_("资源分类与所属基础库不一致：基础类以 1 开头，且“项”与基础库对应。"))
    if not entry.items:
        problems["items"].append(_("请至少填写一个信息项。"))
    _check_grades(problems, entry)
    _check_modes(problems, entry)
    binding = mounting.binding_of(resource)
    if binding is not None and (missing := mounting.unmapped(entry.items, binding.columns)):
        problems["items"].append(_("信息项尚未对应数据集字段，请重新挂接：%(names)s") % {"names": listed(missing)})
    _refuse(problems)


_MUST_BE_FILLED = {
    "classification": gettext_lazy("请填写资源分类。"),
    "summary": gettext_lazy("请填写资源摘要。"),
    "secrecy_assessment": gettext_lazy("提交前须完成保密风险评估，请填写结论。"),
    "personal_information_assessment": gettext_lazy("提交前须完成个人信息保护影响评估，请填写结论（不涉及个人信息的也应写明）。"),
}


def _check_items(problems: Problems, items: tuple[Item, ...]) -> None:
    if len(items) > MOST_ITEMS:
        problems["items"].append(_("信息项不能超过 %(count)d 个。") % {"count": MOST_ITEMS})
    for number, item in enumerate(items, start=1):
        for complaint in _item_complaints(item):
            problems["items"].append(_("第 %(number)d 项：%(complaint)s") % {"number": number, "complaint": complaint})
    forms: list[tuple[str, Callable[[Item], str]]] = [
        (_("字段名重复：%(names)s"), lambda item: item.name),
        (_("信息项名称重复（仅标点或空格不同也算重复）：%(names)s"), lambda item: bare(item.title)),
    ]
    for text, form in forms:
        if repeated := _repeated(form(item) for item in items):
            problems["items"].append(text % {"names": listed(repeated)})


def _item_complaints(item: Item) -> Iterable[str]:
    if not ITEM_NAME.fullmatch(item.name):
        yield _("字段名应为小写英文字母开头的字母、数字、下划线，不超过 40 位")
    if not bare(item.title):
        yield _("请填写信息项名称")
    if item.data_type not in DATA_TYPES:
        yield _("数据类型不在字典中（%(types)s）") % {"types": " ".join(DATA_TYPES)}
    if item.grade not in Grade.values:
        yield _("数据分级不在字典中")
    if item.mask not in mounting.mask_titles():
        yield _("脱敏方式不在字典中")


def _check_grades(problems: Problems, entry: Entry) -> None:
    highest = max((item.grade for item in entry.items if not item.is_withheld), default=entry.grade)
    if entry.grade < highest:
        problems["grade"].append(_("目录的分级不能低于其信息项的最高分级（%(grade)s）。") % {"grade": highest})
    if entry.grade >= Grade.L3 and entry.share_attribute == ShareAttribute.UNCONDITIONAL:
        problems["share_attribute"].append(_("三级及以上数据只能有条件共享或者不予共享。"))


def _check_modes(problems: Problems, entry: Entry) -> None:
    modes = set(entry.sharing_modes)
    if entry.share_attribute == ShareAttribute.WITHHELD:
        if modes:
            problems["sharing_modes"].append(_("不予共享的目录不能选择共享方式。"))
        return
    if not modes:
        problems["sharing_modes"].append(_("请至少选择一种共享方式。"))
    if (entry.grade == Grade.L4 or entry.concerns_minors) and modes - {SharingMode.VERIFY}:
        problems["sharing_modes"].append(_("四级数据和涉及未成年人的数据只能比对验证，不返回数据。"))
    if entry.source_format in FILE_FORMATS and modes - {SharingMode.BULK}:
        problems["sharing_modes"].append(_("文件类资源只能批量复制。"))
    if modes & {SharingMode.VERIFY, SharingMode.QUERY} and not any(item.is_key for item in entry.items):
        problems["items"].append(_("比对验证、检索查询需要主键，请把用来查询的信息项标为主键。"))
    if SharingMode.FEATURES in modes and not any(item.data_type == "G" and not item.is_withheld for item in entry.items):
        problems["sharing_modes"].append(_("地图服务需要一个可共享的空间图形信息项。"))
    if all(item.is_withheld for item in entry.items) and entry.items:
        problems["items"].append(_("全部信息项都不予共享，请把共享属性改为“不予共享”。"))


def _taken(entry: Entry, resource: Resource) -> bool:
    others = Resource.objects.filter(provider=resource.provider, change_of=None).exclude(state="WITHDRAWN")
    own = {pk for pk in (resource.pk, resource.change_of_id) if pk is not None}
    return any(bare(title) == bare(entry.title) for title in others.exclude(pk__in=own).values_list("title", flat=True))


def _is_classification(text: str) -> bool:
    """Codes of odd length come from a lost digit (编制指南问答); the front part fits a column of 20."""
    return codes.prefix_valid(text) and len(text) % 2 == 0 and len(text) <= 20


def _fits_base_database(entry: Entry) -> bool:
    if not entry.base_database:
        return not entry.classification.startswith(codes.ResourceClass.BASE)
    item = codes.BASE_DATABASE_ITEMS[entry.base_database.lower()]
    return entry.classification.startswith(codes.ResourceClass.BASE + item)


def _known(problems: Problems, field: str, value: str, values: Iterable[str]) -> None:
    if value not in values:
        problems[field].append(_("取值不在字典中。"))


def _repeated(names: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return sorted({name for name in names if name in seen or seen.add(name)})  # type: ignore[func-returns-value]


def _refuse(problems: Mapping[str, list[str]]) -> None:
    if problems:
        raise Invalid("resource.invalid", _("目录内容有需要补正的地方，请按提示一次改完。"), dict(problems))
