"""Sources outside the base databases (外部数据源): department tables, interfaces of platforms above, our accounts there.

What may leave is decided by grants as for base data. Passwords and secrets are sealed under the key file.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.ids import uuid7
from core.models import Department, SealedSecret, SharedObject, User


class KeyKind(models.TextChoices):
    """What a row of the source is found by."""

    CITIZEN_ID = "CITIZEN_ID", _("公民身份号码")
    USCC = "USCC", _("统一社会信用代码")
    TEXT = "TEXT", _("业务编号")


class BreakerState(models.TextChoices):
    """How the circuit breaker stood when it last changed; the values of pybreaker."""

    CLOSED = "closed", _("正常")
    HALF_OPEN = "half-open", _("试探恢复")
    OPEN = "open", _("已熔断")


class Source(SharedObject):
    """What every source has. `columns` is what it offers: [{"name", "title"}], for an interface with a "pointer" each."""

    title = models.CharField(_("名称"), max_length=100)
    key_kind = models.CharField(_("查询主键"), max_length=10, choices=KeyKind.choices, default=KeyKind.CITIZEN_ID)
    columns = models.JSONField(_("字段"), default=list)
    timeout_ms = models.PositiveIntegerField(_("超时(毫秒)"), default=3000)
    at_once = models.PositiveSmallIntegerField(_("同时调用上限"), default=4)
    is_active = models.BooleanField(_("启用"), default=True)
    breaker_state = models.CharField(_("熔断状态"), max_length=10, choices=BreakerState.choices, default=BreakerState.CLOSED)
    breaker_changed_at = models.DateTimeField(_("熔断状态变化时间"), null=True, blank=True)
    tested_at = models.DateTimeField(_("测试时间"), null=True, blank=True)
    test_outcome = models.CharField(_("测试结果"), max_length=200, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


class TableKind(models.TextChoices):
    """The databases departments have."""

    POSTGRESQL = "POSTGRESQL", "PostgreSQL"
    MYSQL = "MYSQL", "MySQL / MariaDB"


class SourceConnection(Source, SealedSecret):
    """A table or view of a department's own database, read through a read-only account (`source_connection:<uid>`)."""

    department = models.ForeignKey(Department, models.PROTECT, related_name="source_connections", verbose_name=_("数源部门"))
    kind = models.CharField(_("数据库类型"), max_length=10, choices=TableKind.choices)
    host = models.CharField(_("主机"), max_length=253)
    port = models.PositiveIntegerField(_("端口"))
    database = models.CharField(_("库名"), max_length=63)
    username = models.CharField(_("只读账号"), max_length=63)
    schema = models.CharField(_("模式"), max_length=63, blank=True)
    table = models.CharField(_("表或视图"), max_length=64)
    key_column = models.CharField(_("主键字段"), max_length=64)
    region_column = models.CharField(_("区划字段"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("部门数据表")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["department", "title"], name="source_connection_title_once"),
            models.CheckConstraint(condition=Q(kind__in=TableKind.values), name="source_connection_kind_known"),
            models.CheckConstraint(
                condition=Q(timeout_ms__range=(100, 10_000), at_once__range=(1, 8)), name="source_connection_bounds"
            ),
        ]


class AccountAuth(models.TextChoices):
    """How we show who we are."""

    HEADER = "HEADER", _("固定请求头")
    NATIONAL = "NATIONAL", _("国家平台签名")


class HeaderFamily(models.TextChoices):
    """The two generations of the national convention, and ours."""

    FIRST = "gjgxjhpt", _("第一代（gjgxjhpt_）")
    SECOND = "gjzwfwpt", _("第二代（gjzwfwpt_）")
    OURS = "x-gov", _("本平台（X-Gov-）")


class UpstreamAccount(SharedObject, SealedSecret):
    """Our account at a platform above. The sealed secret is the national session (`upstream_account:<uid>`), all sids share it."""

    title = models.CharField(_("名称"), max_length=100)
    department = models.ForeignKey(Department, models.PROTECT, related_name="upstream_accounts", verbose_name=_("登记部门"))
    auth = models.CharField(_("认证方式"), max_length=10, choices=AccountAuth.choices)
    header_name = models.CharField(_("请求头"), max_length=60, blank=True)
    family = models.CharField(_("接口规范"), max_length=10, choices=HeaderFamily.choices, blank=True)
    rid = models.CharField(_("请求者标识"), max_length=64, blank=True)
    refresh_url = models.CharField(_("密钥刷新地址"), max_length=300, blank=True)
    refresh_sid = models.CharField(_("密钥刷新服务编码"), max_length=64, blank=True)
    session_ends_at = models.DateTimeField(_("会话密钥到期"), null=True, blank=True)
    refreshed_at = models.DateTimeField(_("会话密钥刷新时间"), null=True, blank=True)
    refresh_fault = models.CharField(_("刷新失败原因"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("上级平台账号")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["department", "title"], name="upstream_account_title_once")]

    def __str__(self) -> str:
        return self.title


class UpstreamSecret(SealedSecret):
    """A header value or app key with its dates (`upstream_secret:<uid>`); two live ones while it is rotated."""

    uid = models.UUIDField(default=uuid7, unique=True, editable=False)
    account = models.ForeignKey(UpstreamAccount, models.PROTECT, related_name="secrets")
    valid_from = models.DateTimeField(_("生效时间"))
    valid_to = models.DateTimeField(_("失效时间"), null=True, blank=True)
    entered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("上级平台密钥")
        ordering = ["-valid_from", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="upstream_secret_dates")
        ]


class HttpMethod(models.TextChoices):
    """How an interface is called."""

    GET = "GET", "GET"
    POST = "POST", "POST"


class UpstreamInterface(Source):
    """An HTTP(S) interface of a platform above or of a department.

    `request_map`: name -> {"in": "body" | "query", "from": "key" | "call_id" | "constant", "value"}. `answer_map`: the pointers
    "code" and "record" with the codes that mean success ("ok") and nobody ("none").
    """

    department = models.ForeignKey(Department, models.PROTECT, related_name="upstream_interfaces", verbose_name=_("登记部门"))
    authority = models.CharField(_("上级单位"), max_length=100, blank=True)
    method = models.CharField(_("请求方法"), max_length=4, choices=HttpMethod.choices, default=HttpMethod.POST)
    url = models.CharField(_("地址"), max_length=300)
    account = models.ForeignKey(
        UpstreamAccount, models.PROTECT, null=True, blank=True, related_name="interfaces", verbose_name=_("账号")
    )
    sid = models.CharField(_("服务编码"), max_length=64, blank=True)
    request_map = models.JSONField(_("请求对应"), default=dict)
    answer_map = models.JSONField(_("应答对应"), default=dict)

    class Meta:
        verbose_name = _("上级接口")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["department", "title"], name="upstream_interface_title_once"),
            models.CheckConstraint(condition=Q(method__in=HttpMethod.values), name="upstream_interface_method_known"),
            models.CheckConstraint(
                condition=Q(timeout_ms__range=(100, 10_000), at_once__range=(1, 8)), name="upstream_interface_bounds"
            ),
        ]
