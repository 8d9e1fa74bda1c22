"""What is careful after a grant: alerts, emergency access, legal holds, usage records, inspections, disposal."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared
from core.append_only import guard

APPEND_ONLY = (
    "exchange_breakglass",
    "exchange_breakglassreview",
    "exchange_usagerecord",
    "exchange_usageinspection",
    "exchange_usagereminder",
)


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0005_audit_xid"),
        ("exchange", "0012_terms_of_grants"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BreakGlass",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="应急编号")),
                ("incident_number", models.CharField(max_length=64, verbose_name="事件编号")),
                ("reason", models.CharField(max_length=500, verbose_name="应急理由")),
                ("hours", models.PositiveSmallIntegerField(verbose_name="开放小时数")),
                ("opened_by_name", models.CharField(max_length=60, verbose_name="开启人")),
                ("opened_at", models.DateTimeField(verbose_name="开启时间")),
                ("review_due_at", models.DateTimeField(verbose_name="复核时限")),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="break_glass",
                        to="exchange.grant",
                        verbose_name="授权",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "opened_by_department",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"),
                ),
            ],
            options={
                "verbose_name": "应急访问",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="BreakGlassReview",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "side",
                    models.CharField(
                        choices=[("PROVIDER", "提供方"), ("DATA_CENTRE", "数据中心")], max_length=12, verbose_name="复核方"
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[("JUSTIFIED", "正当"), ("UNJUSTIFIED", "不正当")], max_length=12, verbose_name="复核结论"
                    ),
                ),
                ("opinion", models.CharField(max_length=500, verbose_name="复核意见")),
                ("reviewer_name", models.CharField(max_length=60, verbose_name="复核人")),
                ("at", models.DateTimeField(verbose_name="复核时间")),
                (
                    "break_glass",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviews", to="exchange.breakglass"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "verbose_name": "应急访问复核",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="Disposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("opened_at", models.DateTimeField(verbose_name="开始时间")),
                ("due_at", models.DateTimeField(verbose_name="处置时限")),
                (
                    "state",
                    models.CharField(
                        choices=[("DUE", "待使用方处置"), ("REPORTED", "待提供方确认"), ("CONFIRMED", "已确认")],
                        default="DUE",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                (
                    "manner",
                    models.CharField(
                        blank=True,
                        choices=[("DESTROYED", "已销毁"), ("RETURNED", "已归还"), ("NOTHING_KEPT", "未留存数据")],
                        default="",
                        max_length=12,
                        verbose_name="处置方式",
                    ),
                ),
                ("account", models.CharField(blank=True, default="", max_length=1000, verbose_name="处置说明")),
                ("reported_by_name", models.CharField(blank=True, default="", max_length=60, verbose_name="报告人")),
                ("reported_at", models.DateTimeField(blank=True, null=True, verbose_name="报告时间")),
                ("decided_by_name", models.CharField(blank=True, default="", max_length=60, verbose_name="确认人")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="确认时间")),
                ("opinion", models.CharField(blank=True, default="", max_length=500, verbose_name="提供方意见")),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disposal",
                        to="exchange.grant",
                        verbose_name="授权",
                    ),
                ),
                (
                    "reported_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "数据处置",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="保全编号")),
                ("case_number", models.CharField(max_length=64, verbose_name="案件编号")),
                ("reason", models.CharField(max_length=500, verbose_name="保全理由")),
                (
                    "scope",
                    models.CharField(
                        choices=[
                            ("ALL", "全部"),
                            ("GRANT", "一项授权"),
                            ("REQUEST", "一项申请"),
                            ("SUBJECT", "一个对象"),
                            ("PERIOD", "一段时间"),
                        ],
                        max_length=10,
                        verbose_name="保全范围",
                    ),
                ),
                ("subject_key", models.BinaryField(max_length=16, null=True)),
                ("first_day", models.DateField(blank=True, null=True, verbose_name="自")),
                ("last_day", models.DateField(blank=True, null=True, verbose_name="至")),
                ("placed_by_name", models.CharField(max_length=60, verbose_name="保全人")),
                ("placed_at", models.DateTimeField(verbose_name="保全时间")),
                ("released_by_name", models.CharField(blank=True, default="", max_length=60, verbose_name="解除人")),
                ("released_at", models.DateTimeField(blank=True, null=True, verbose_name="解除时间")),
                ("release_reason", models.CharField(blank=True, default="", max_length=500, verbose_name="解除理由")),
                (
                    "access_request",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legal_holds",
                        to="exchange.accessrequest",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="legal_holds",
                        to="exchange.grant",
                        verbose_name="授权",
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "法律保全",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UsageInspection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                (
                    "side",
                    models.CharField(
                        choices=[("PROVIDER", "提供方"), ("DATA_CENTRE", "数据中心")], max_length=12, verbose_name="检查方"
                    ),
                ),
                ("findings", models.CharField(max_length=1000, verbose_name="检查情况")),
                ("put_right_by", models.DateField(blank=True, null=True, verbose_name="限期整改")),
                ("inspected_by_name", models.CharField(max_length=60, verbose_name="检查人")),
                ("inspected_at", models.DateTimeField(verbose_name="检查时间")),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_inspections",
                        to="exchange.grant",
                        verbose_name="授权",
                    ),
                ),
                (
                    "inspected_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "verbose_name": "使用检查",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UsageRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("first_day", models.DateField(verbose_name="使用期间自")),
                ("last_day", models.DateField(verbose_name="使用期间至")),
                ("scenario", models.CharField(max_length=500, verbose_name="使用场景")),
                ("process", models.CharField(max_length=1000, verbose_name="使用过程")),
                ("results", models.CharField(max_length=1000, verbose_name="应用成效")),
                ("storage", models.CharField(max_length=500, verbose_name="存储情况")),
                ("destruction", models.CharField(max_length=500, verbose_name="销毁情况")),
                ("correction_reason", models.CharField(blank=True, default="", max_length=500, verbose_name="更正原因")),
                ("recorded_by_name", models.CharField(max_length=60, verbose_name="登记人")),
                ("recorded_at", models.DateTimeField(verbose_name="登记时间")),
                (
                    "corrects",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by",
                        to="exchange.usagerecord",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_records",
                        to="exchange.grant",
                        verbose_name="授权",
                    ),
                ),
                (
                    "recorded_by",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
            ],
            options={
                "verbose_name": "使用记录",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UsageReminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("quarter", models.DateField()),
                ("at", models.DateTimeField(verbose_name="时间")),
                (
                    "grant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="usage_reminders", to="exchange.grant"
                    ),
                ),
            ],
            options={
                "verbose_name": "使用记录提醒",
            },
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("NIGHT_BULK", "夜间大批量复制"),
                            ("ENUMERATION", "疑似逐个试号"),
                            ("UNUSUAL_VOLUME", "用量远超平时"),
                            ("SUBJECT_LIMIT", "反复比对同一对象"),
                            ("REFUSALS", "同类拒绝集中出现"),
                        ],
                        max_length=16,
                        verbose_name="告警",
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="发现时间")),
                ("last_seen_at", models.DateTimeField(verbose_name="最近一次")),
                ("measure", models.BigIntegerField(verbose_name="数量")),
                ("threshold", models.BigIntegerField(verbose_name="阈值")),
                ("evidence", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "待处置"), ("ACKNOWLEDGED", "核查中"), ("DISMISSED", "已排除"), ("ACTED", "已暂停授权")],
                        default="OPEN",
                        max_length=12,
                        verbose_name="状态",
                    ),
                ),
                ("handled_by_name", models.CharField(blank=True, default="", max_length=60, verbose_name="处置人")),
                ("handled_at", models.DateTimeField(blank=True, null=True, verbose_name="处置时间")),
                ("reason", models.CharField(blank=True, default="", max_length=500, verbose_name="处置说明")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="core.department",
                        verbose_name="使用方",
                    ),
                ),
                (
                    "grant",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="exchange.grant",
                        verbose_name="授权",
                    ),
                ),
                (
                    "handled_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "system",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="alerts",
                        to="exchange.consumersystem",
                        verbose_name="使用方系统",
                    ),
                ),
            ],
            options={
                "verbose_name": "告警",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["state", "-id"], name="alert_state")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["OPEN", "ACKNOWLEDGED"])),
                        fields=("kind", "system", "grant"),
                        name="alert_one_unsettled",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["OPEN", "ACKNOWLEDGED", "DISMISSED", "ACTED"])), name="alert_state_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["OPEN", "ACKNOWLEDGED"]),
                            models.Q(models.Q(("reason", ""), _negated=True), ("handled_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="alert_settled_with_reason",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="breakglass",
            index=models.Index(fields=["review_due_at"], name="break_glass_due"),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("reason", ""), _negated=True), models.Q(("incident_number", ""), _negated=True)),
                name="break_glass_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglass",
            constraint=models.CheckConstraint(
                condition=models.Q(("hours__gte", 1), ("hours__lte", 24)), name="break_glass_a_day_at_most"
            ),
        ),
        migrations.AddConstraint(
            model_name="breakglassreview",
            constraint=models.UniqueConstraint(fields=("break_glass", "side"), name="break_glass_review_once_a_side"),
        ),
        migrations.AddConstraint(
            model_name="breakglassreview",
            constraint=models.CheckConstraint(
                condition=models.Q(("opinion", ""), _negated=True), name="break_glass_review_says_something"
            ),
        ),
        migrations.AddIndex(
            model_name="disposal",
            index=models.Index(fields=["state", "due_at"], name="disposal_due"),
        ),
        migrations.AddConstraint(
            model_name="disposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["DUE", "REPORTED", "CONFIRMED"])), name="disposal_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="disposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "DUE"),
                    models.Q(
                        models.Q(("manner", ""), _negated=True),
                        models.Q(("account", ""), _negated=True),
                        ("reported_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="disposal_reported_says_how",
            ),
        ),
        migrations.AddConstraint(
            model_name="disposal",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("state", "CONFIRMED"), _negated=True), ("decided_by__isnull", False), _connector="OR"),
                name="disposal_confirmed_by_somebody",
            ),
        ),
        migrations.AddIndex(
            model_name="legalhold",
            index=models.Index(condition=models.Q(("released_at", None)), fields=["scope"], name="hold_open"),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("reason", ""), _negated=True), models.Q(("case_number", ""), _negated=True)),
                name="hold_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("grant__isnull", False), ("scope", "GRANT")),
                    models.Q(models.Q(("scope", "GRANT"), _negated=True), ("grant", None)),
                    _connector="OR",
                ),
                name="hold_names_its_grant",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("access_request__isnull", False), ("scope", "REQUEST")),
                    models.Q(models.Q(("scope", "REQUEST"), _negated=True), ("access_request", None)),
                    _connector="OR",
                ),
                name="hold_names_its_request",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scope", "SUBJECT"), ("subject_key__isnull", False)),
                    models.Q(models.Q(("scope", "SUBJECT"), _negated=True), ("subject_key", None)),
                    _connector="OR",
                ),
                name="hold_names_its_subject",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("first_day__isnull", False), ("last_day__gte", models.F("first_day")), ("scope", "PERIOD")),
                    models.Q(models.Q(("scope", "PERIOD"), _negated=True), ("first_day", None), ("last_day", None)),
                    _connector="OR",
                ),
                name="hold_names_its_days",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("released_at", None),
                    models.Q(
                        models.Q(("release_reason", ""), _negated=True),
                        models.Q(("released_by", models.F("placed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="hold_released_by_another",
            ),
        ),
        migrations.AddConstraint(
            model_name="usageinspection",
            constraint=models.CheckConstraint(
                condition=models.Q(("findings", ""), _negated=True), name="inspection_says_something"
            ),
        ),
        migrations.AddIndex(
            model_name="usagerecord",
            index=models.Index(fields=["grant", "-id"], name="usage_grant"),
        ),
        migrations.AddConstraint(
            model_name="usagerecord",
            constraint=models.CheckConstraint(condition=models.Q(("last_day__gte", models.F("first_day"))), name="usage_period"),
        ),
        migrations.AddConstraint(
            model_name="usagerecord",
            constraint=models.CheckConstraint(
                condition=models.Q(("corrects", None), models.Q(("correction_reason", ""), _negated=True), _connector="OR"),
                name="usage_correction_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagereminder",
            constraint=models.UniqueConstraint(fields=("grant", "quarter"), name="usage_reminder_once"),
        ),
        *(migrations.RunSQL(*guard(table)) for table in APPEND_ONLY),
    ]
