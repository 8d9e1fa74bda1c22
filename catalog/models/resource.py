"""Information resources (信息资源), their data items (信息项), published versions and bindings (挂接).

Elements as in 发改高技〔2017〕1272号 and State Council Order 809 art. 13-15.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.querysets import ResourceQuerySet
from core.models import Department, Region, SharedObject, User


class ShareAttribute(models.TextChoices):
    """Sharing attribute (共享属性), Order 809 art. 14."""

    UNCONDITIONAL = "UNCONDITIONAL", _("无条件共享")
    CONDITIONAL = "CONDITIONAL", _("有条件共享")
    WITHHELD = "WITHHELD", _("不予共享")


class SharingMode(models.TextChoices):
    """How data may be used through the platform."""

    VERIFY = "VERIFY", _("比对验证")
    QUERY = "QUERY", _("检索查询")
    BULK = "BULK", _("批量复制")
    SUBSCRIBE = "SUBSCRIBE", _("变更订阅")
    FEATURES = "FEATURES", _("地图服务")


class Grade(models.TextChoices):
    """Grade of the data (数据分级), L1 public to L4 highly sensitive."""

    L1 = "L1", _("一级(公开)")
    L2 = "L2", _("二级(内部)")
    L3 = "L3", _("三级(敏感)")
    L4 = "L4", _("四级(高敏感)")


class BaseDatabase(models.TextChoices):
    """The five base databases (五大基础库)."""

    POPULATION = "POPULATION", _("人口库")
    LEGAL_ENTITY = "LEGAL_ENTITY", _("法人库")
    LICENSE = "LICENSE", _("电子证照库")
    GEOSPATIAL = "GEOSPATIAL", _("自然资源和空间地理库")
    CREDIT = "CREDIT", _("社会信用库")


class UpdateCycle(models.TextChoices):
    """Update cycle (更新周期)."""

    REALTIME = "REALTIME", _("实时")
    DAILY = "DAILY", _("每日")
    WEEKLY = "WEEKLY", _("每周")
    MONTHLY = "MONTHLY", _("每月")
    QUARTERLY = "QUARTERLY", _("每季度")
    HALF_YEARLY = "HALF_YEARLY", _("每半年")
    YEARLY = "YEARLY", _("每年")
    IRREGULAR = "IRREGULAR", _("不定期")
    NEVER = "NEVER", _("不更新")


class ResourceState(models.TextChoices):
    """Where a resource stands: draft -> own head -> data centre -> published."""

    DRAFTED = "DRAFTED", _("草稿")
    SUBMITTED = "SUBMITTED", _("待部门负责人审批")
    ENDORSED = "ENDORSED", _("待数据中心发布")
    PUBLISHED = "PUBLISHED", _("已发布")
    WITHDRAWN = "WITHDRAWN", _("已下线")
    MERGED = "MERGED", _("变更已发布")


class Resource(SharedObject):
    """One catalogue entry. `code` is assigned at publication and never reused; `version` counts publications.

    A row with `change_of` is the working copy (变更稿) of a published entry: it never has a code and ends MERGED or WITHDRAWN.
    """

    code = models.CharField(_("资源代码"), max_length=40, null=True, unique=True, editable=False)
    classification = models.CharField(_("资源分类"), max_length=20, help_text=_("类、项、目、细目代码，例如 101001"))
    title = models.CharField(_("资源名称"), max_length=100)
    summary = models.TextField(_("资源摘要"), max_length=1000)
    keywords = models.CharField(_("关键词"), max_length=200, blank=True)
    provider = models.ForeignKey(Department, models.PROTECT, related_name="resources", verbose_name=_("提供方"))
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("数据所在区划"))
    base_database = models.CharField(_("所属基础库"), max_length=20, choices=BaseDatabase.choices, blank=True)
    source_format = models.CharField(_("资源格式"), max_length=30, default="数据库")
    update_cycle = models.CharField(_("更新周期"), max_length=12, choices=UpdateCycle.choices)
    share_attribute = models.CharField(_("共享属性"), max_length=15, choices=ShareAttribute.choices)
    share_conditions = models.TextField(_("共享条件"), max_length=500, blank=True)
    withheld_basis = models.TextField(_("不予共享的依据"), max_length=500, blank=True)
    sharing_modes = ArrayField(
        models.CharField(max_length=10, choices=SharingMode.choices), default=list, verbose_name=_("共享方式")
    )
    control_parameters = ArrayField(models.CharField(max_length=30), default=list, blank=True, verbose_name=_("管控参数"))
    grade = models.CharField(_("数据分级"), max_length=2, choices=Grade.choices)
    concerns_minors = models.BooleanField(_("涉及未成年人"), default=False)
    secrecy_assessment = models.TextField(_("保密风险评估"), max_length=1000, blank=True)
    personal_information_assessment = models.TextField(_("个人信息保护影响评估"), max_length=1000, blank=True)
    state = models.CharField(_("状态"), max_length=10, choices=ResourceState.choices, default=ResourceState.DRAFTED)
    return_reason = models.CharField(_("退回原因"), max_length=500, blank=True)
    version = models.PositiveIntegerField(_("版本"), default=0)
    change_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="changes", editable=False)
    drafted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(_("办理时限"), null=True, blank=True)
    published_at = models.DateTimeField(_("发布时间"), null=True, blank=True)
    search_vector = SearchVectorField(null=True, editable=False)

    objects = ResourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("信息资源")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ResourceState.values), name="resource_state_known"),
            models.CheckConstraint(
                condition=~Q(share_attribute="CONDITIONAL") | ~Q(share_conditions=""), name="resource_conditional_says_conditions"
            ),
            models.CheckConstraint(
                condition=~Q(share_attribute="WITHHELD") | ~Q(withheld_basis=""), name="resource_withheld_says_basis"
            ),
            models.CheckConstraint(condition=~Q(state="PUBLISHED") | Q(code__isnull=False), name="resource_published_has_code"),
            models.CheckConstraint(
                condition=Q(change_of=None) & ~Q(state="MERGED") | Q(change_of__isnull=False, code=None) & ~Q(state="PUBLISHED"),
                name="resource_change_has_no_code",
            ),
            models.UniqueConstraint(
                fields=["provider", "title"], condition=~Q(state="WITHDRAWN") & Q(change_of=None), name="resource_title_once"
            ),
            models.UniqueConstraint(
                fields=["change_of"], condition=~Q(state__in=["WITHDRAWN", "MERGED"]), name="resource_one_open_change"
            ),
        ]
        indexes = [
            GinIndex(fields=["search_vector"], name="resource_search"),
            models.Index(fields=["state", "-id"], name="resource_state"),
            models.Index(fields=["provider", "state"], name="resource_provider"),
        ]

    def __str__(self) -> str:
        return self.title


class DataItem(models.Model):
    """One item (信息项) of a resource. `name` is the column partner systems see."""

    resource = models.ForeignKey(Resource, models.CASCADE, related_name="items")
    position = models.PositiveSmallIntegerField(_("序号"))
    name = models.CharField(_("字段名"), max_length=40)
    title = models.CharField(_("信息项名称"), max_length=60)
    data_type = models.CharField(_("数据类型"), max_length=1, help_text=_("C 字符、N 数值、D 日期、T 日期时间、L 逻辑等"))
    length = models.PositiveIntegerField(_("长度"), null=True, blank=True)
    is_key = models.BooleanField(_("主键"), default=False)
    is_sensitive = models.BooleanField(_("敏感"), default=False)
    grade = models.CharField(_("数据分级"), max_length=2, choices=Grade.choices)
    mask = models.CharField(_("默认脱敏"), max_length=20, default="NONE")
    is_withheld = models.BooleanField(_("不予共享"), default=False)
    standard = models.CharField(_("数据标准"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("信息项")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["resource", "name"], name="item_name_once"),
            models.CheckConstraint(condition=Q(name__regex=r"^[a-z][a-z0-9_]{0,39}$"), name="item_name_form"),
        ]

    def __str__(self) -> str:
        return self.title


class ResourceVersion(models.Model):
    """What was published as version n: a snapshot of the entry and its items. Append-only."""

    resource = models.ForeignKey(Resource, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    snapshot = models.JSONField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("目录版本")
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["resource", "version"], name="version_once")]


class Binding(models.Model):
    """Mounting (挂接): the resource is served out of this dataset of a base database, item by item."""

    resource = models.OneToOneField(Resource, models.CASCADE, related_name="binding")
    dataset = models.CharField(_("数据集"), max_length=60, help_text=_("例如 population.person"))
    columns = models.JSONField(_("字段对应"), default=dict, help_text=_("信息项字段名 → 数据集字段名"))
    mounted_at = models.DateTimeField()
    mounted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("资源挂接")
