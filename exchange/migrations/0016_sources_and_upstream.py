"""Sources outside the base databases, the national convention, authorization from above."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared
from core.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("exchange", "0015_bulk_jobs_and_feeds")]
    operations = [
        migrations.CreateModel(
            name="SourceConnection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("secret_key_id", models.PositiveIntegerField(editable=False, null=True)),
                ("secret_nonce", models.BinaryField(max_length=12, null=True)),
                ("secret_ciphertext", models.BinaryField(null=True)),
                ("title", models.CharField(max_length=100, verbose_name="名称")),
                (
                    "key_kind",
                    models.CharField(
                        choices=[("CITIZEN_ID", "公民身份号码"), ("USCC", "统一社会信用代码"), ("TEXT", "业务编号")],
                        default="CITIZEN_ID",
                        max_length=10,
                        verbose_name="查询主键",
                    ),
                ),
                ("columns", models.JSONField(default=list, verbose_name="字段")),
                ("timeout_ms", models.PositiveIntegerField(default=3000, verbose_name="超时(毫秒)")),
                ("at_once", models.PositiveSmallIntegerField(default=4, verbose_name="同时调用上限")),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
                (
                    "breaker_state",
                    models.CharField(
                        choices=[("closed", "正常"), ("half-open", "试探恢复"), ("open", "已熔断")],
                        default="closed",
                        max_length=10,
                        verbose_name="熔断状态",
                    ),
                ),
                ("breaker_changed_at", models.DateTimeField(blank=True, null=True, verbose_name="熔断状态变化时间")),
                ("tested_at", models.DateTimeField(blank=True, null=True, verbose_name="测试时间")),
                ("test_outcome", models.CharField(blank=True, max_length=200, verbose_name="测试结果")),
                (
                    "kind",
                    models.CharField(
                        choices=[("POSTGRESQL", "PostgreSQL"), ("MYSQL", "MySQL / MariaDB")],
                        max_length=10,
                        verbose_name="数据库类型",
                    ),
                ),
                ("host", models.CharField(max_length=253, verbose_name="主机")),
                ("port", models.PositiveIntegerField(verbose_name="端口")),
                ("database", models.CharField(max_length=63, verbose_name="库名")),
                ("username", models.CharField(max_length=63, verbose_name="只读账号")),
                ("schema", models.CharField(blank=True, max_length=63, verbose_name="模式")),
                ("table", models.CharField(max_length=64, verbose_name="表或视图")),
                ("key_column", models.CharField(max_length=64, verbose_name="主键字段")),
                ("region_column", models.CharField(blank=True, max_length=64, verbose_name="区划字段")),
            ],
            options={
                "verbose_name": "部门数据表",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UpstreamAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("secret_key_id", models.PositiveIntegerField(editable=False, null=True)),
                ("secret_nonce", models.BinaryField(max_length=12, null=True)),
                ("secret_ciphertext", models.BinaryField(null=True)),
                ("title", models.CharField(max_length=100, verbose_name="名称")),
                (
                    "auth",
                    models.CharField(
                        choices=[("HEADER", "固定请求头"), ("NATIONAL", "国家平台签名")], max_length=10, verbose_name="认证方式"
                    ),
                ),
                ("header_name", models.CharField(blank=True, max_length=60, verbose_name="请求头")),
                (
                    "family",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("gjgxjhpt", "第一代（gjgxjhpt_）"),
                            ("gjzwfwpt", "第二代（gjzwfwpt_）"),
                            ("x-gov", "本平台（X-Gov-）"),
                        ],
                        max_length=10,
                        verbose_name="接口规范",
                    ),
                ),
                ("rid", models.CharField(blank=True, max_length=64, verbose_name="请求者标识")),
                ("refresh_url", models.CharField(blank=True, max_length=300, verbose_name="密钥刷新地址")),
                ("refresh_sid", models.CharField(blank=True, max_length=64, verbose_name="密钥刷新服务编码")),
                ("session_ends_at", models.DateTimeField(blank=True, null=True, verbose_name="会话密钥到期")),
                ("refreshed_at", models.DateTimeField(blank=True, null=True, verbose_name="会话密钥刷新时间")),
                ("refresh_fault", models.CharField(blank=True, max_length=60, verbose_name="刷新失败原因")),
            ],
            options={
                "verbose_name": "上级平台账号",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UpstreamAuthorization",
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
                        choices=[("BLANKET", "整体授权"), ("PER_CASE", "非整体授权")], max_length=10, verbose_name="授权方式"
                    ),
                ),
                ("authority", models.CharField(max_length=100, verbose_name="授权单位")),
                ("document_number", models.CharField(max_length=60, verbose_name="授权文号")),
                ("terms", models.CharField(max_length=500, verbose_name="授权条件")),
                ("valid_from", models.DateField(verbose_name="授权自")),
                ("valid_to", models.DateField(verbose_name="授权至")),
            ],
            options={
                "verbose_name": "上级授权",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UpstreamInterface",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("title", models.CharField(max_length=100, verbose_name="名称")),
                (
                    "key_kind",
                    models.CharField(
                        choices=[("CITIZEN_ID", "公民身份号码"), ("USCC", "统一社会信用代码"), ("TEXT", "业务编号")],
                        default="CITIZEN_ID",
                        max_length=10,
                        verbose_name="查询主键",
                    ),
                ),
                ("columns", models.JSONField(default=list, verbose_name="字段")),
                ("timeout_ms", models.PositiveIntegerField(default=3000, verbose_name="超时(毫秒)")),
                ("at_once", models.PositiveSmallIntegerField(default=4, verbose_name="同时调用上限")),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
                (
                    "breaker_state",
                    models.CharField(
                        choices=[("closed", "正常"), ("half-open", "试探恢复"), ("open", "已熔断")],
                        default="closed",
                        max_length=10,
                        verbose_name="熔断状态",
                    ),
                ),
                ("breaker_changed_at", models.DateTimeField(blank=True, null=True, verbose_name="熔断状态变化时间")),
                ("tested_at", models.DateTimeField(blank=True, null=True, verbose_name="测试时间")),
                ("test_outcome", models.CharField(blank=True, max_length=200, verbose_name="测试结果")),
                ("authority", models.CharField(blank=True, max_length=100, verbose_name="上级单位")),
                (
                    "method",
                    models.CharField(
                        choices=[("GET", "GET"), ("POST", "POST")], default="POST", max_length=4, verbose_name="请求方法"
                    ),
                ),
                ("url", models.CharField(max_length=300, verbose_name="地址")),
                ("sid", models.CharField(blank=True, max_length=64, verbose_name="服务编码")),
                ("request_map", models.JSONField(default=dict, verbose_name="请求对应")),
                ("answer_map", models.JSONField(default=dict, verbose_name="应答对应")),
            ],
            options={
                "verbose_name": "上级接口",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UpstreamReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="时间")),
                (
                    "state",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "待转报"),
                            (1, "已转报，待上级审核"),
                            (2, "本级管理员退回"),
                            (3, "上级平台退回"),
                            (4, "已撤回转报"),
                            (5, "上级已同意"),
                            (8, "上级不同意"),
                        ],
                        verbose_name="上级办理状态",
                    ),
                ),
                ("document_number", models.CharField(max_length=64, verbose_name="文号或回执号")),
                ("note", models.CharField(blank=True, max_length=500, verbose_name="说明")),
                (
                    "origin",
                    models.CharField(
                        choices=[("RECORDED", "人工登记"), ("RECEIVED", "接口回执")], max_length=10, verbose_name="来源"
                    ),
                ),
                ("actor_name", models.CharField(max_length=60, verbose_name="登记人")),
            ],
            options={
                "verbose_name": "上级回执",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="UpstreamRelay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "state",
                    models.PositiveSmallIntegerField(
                        choices=[
                            (0, "待转报"),
                            (1, "已转报，待上级审核"),
                            (2, "本级管理员退回"),
                            (3, "上级平台退回"),
                            (4, "已撤回转报"),
                            (5, "上级已同意"),
                            (8, "上级不同意"),
                        ],
                        default=0,
                        verbose_name="上级办理状态",
                    ),
                ),
                ("external_id", models.CharField(blank=True, max_length=64, verbose_name="上级申请编号")),
                ("idempotency_key", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("reported_at", models.DateTimeField(blank=True, null=True, verbose_name="转报时间")),
                ("answered_at", models.DateTimeField(blank=True, null=True, verbose_name="最近回执时间")),
            ],
            options={
                "verbose_name": "上级转报",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="UpstreamSecret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("secret_key_id", models.PositiveIntegerField(editable=False, null=True)),
                ("secret_nonce", models.BinaryField(max_length=12, null=True)),
                ("secret_ciphertext", models.BinaryField(null=True)),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("valid_from", models.DateTimeField(verbose_name="生效时间")),
                ("valid_to", models.DateTimeField(blank=True, null=True, verbose_name="失效时间")),
            ],
            options={
                "verbose_name": "上级平台密钥",
                "ordering": ["-valid_from", "-id"],
            },
        ),
        migrations.CreateModel(
            name="NationalRequester",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("rid", models.CharField(max_length=64, unique=True, verbose_name="请求者标识")),
                ("requires_v2", models.BooleanField(default=False, verbose_name="必须携带随机数和正文摘要")),
                (
                    "credential",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="national_requester", to="exchange.credential"
                    ),
                ),
            ],
            options={
                "verbose_name": "国家规范调用方",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="NationalService",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("sid", models.CharField(max_length=64, unique=True, verbose_name="服务编码")),
                ("key_parameter", models.CharField(blank=True, max_length=40, verbose_name="主键参数")),
                ("attribute_parameters", models.JSONField(default=dict, verbose_name="比对参数")),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="national_service", to="exchange.grant"
                    ),
                ),
            ],
            options={
                "verbose_name": "国家规范服务编码",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="NationalSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("secret_key_id", models.PositiveIntegerField(editable=False, null=True)),
                ("secret_nonce", models.BinaryField(max_length=12, null=True)),
                ("secret_ciphertext", models.BinaryField(null=True)),
                ("slot", models.PositiveSmallIntegerField()),
                ("issued_at", models.DateTimeField(verbose_name="签发时间")),
                ("ends_at", models.DateTimeField(verbose_name="到期时间")),
                (
                    "requester",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sessions", to="exchange.nationalrequester"
                    ),
                ),
            ],
            options={
                "verbose_name": "国家规范会话密钥",
            },
        ),
        migrations.AddField(
            model_name="sourceconnection",
            name="department",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="source_connections",
                to="core.department",
                verbose_name="数源部门",
            ),
        ),
        migrations.AddField(
            model_name="upstreamaccount",
            name="department",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="upstream_accounts",
                to="core.department",
                verbose_name="登记部门",
            ),
        ),
        migrations.AddField(
            model_name="upstreamauthorization",
            name="resource",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="upstream_authorization",
                to="catalog.resource",
                verbose_name="信息资源",
            ),
        ),
        migrations.AddField(
            model_name="upstreaminterface",
            name="account",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="interfaces",
                to="exchange.upstreamaccount",
                verbose_name="账号",
            ),
        ),
        migrations.AddField(
            model_name="upstreaminterface",
            name="department",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="upstream_interfaces",
                to="core.department",
                verbose_name="登记部门",
            ),
        ),
        migrations.AddField(
            model_name="upstreamauthorization",
            name="relay_interface",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="exchange.upstreaminterface",
                verbose_name="转报接口",
            ),
        ),
        migrations.AddField(
            model_name="upstreamreceipt",
            name="actor",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="upstreamrelay",
            name="access_request",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="upstream_relay", to="exchange.accessrequest"
            ),
        ),
        migrations.AddField(
            model_name="upstreamrelay",
            name="authorization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="relays", to="exchange.upstreamauthorization"
            ),
        ),
        migrations.AddField(
            model_name="upstreamreceipt",
            name="relay",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="receipts", to="exchange.upstreamrelay"
            ),
        ),
        migrations.AddField(
            model_name="upstreamsecret",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="secrets", to="exchange.upstreamaccount"
            ),
        ),
        migrations.AddField(
            model_name="upstreamsecret",
            name="entered_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="nationalsession",
            constraint=models.UniqueConstraint(fields=("requester", "slot"), name="national_session_slot_once"),
        ),
        migrations.AddConstraint(
            model_name="nationalsession",
            constraint=models.CheckConstraint(condition=models.Q(("slot__in", [0, 1])), name="national_session_two_slots"),
        ),
        migrations.AddConstraint(
            model_name="sourceconnection",
            constraint=models.UniqueConstraint(fields=("department", "title"), name="source_connection_title_once"),
        ),
        migrations.AddConstraint(
            model_name="sourceconnection",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["POSTGRESQL", "MYSQL"])), name="source_connection_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="sourceconnection",
            constraint=models.CheckConstraint(
                condition=models.Q(("at_once__range", (1, 8)), ("timeout_ms__range", (100, 10000))), name="source_connection_bounds"
            ),
        ),
        migrations.AddConstraint(
            model_name="upstreamaccount",
            constraint=models.UniqueConstraint(fields=("department", "title"), name="upstream_account_title_once"),
        ),
        migrations.AddConstraint(
            model_name="upstreaminterface",
            constraint=models.UniqueConstraint(fields=("department", "title"), name="upstream_interface_title_once"),
        ),
        migrations.AddConstraint(
            model_name="upstreaminterface",
            constraint=models.CheckConstraint(
                condition=models.Q(("method__in", ["GET", "POST"])), name="upstream_interface_method_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="upstreaminterface",
            constraint=models.CheckConstraint(
                condition=models.Q(("at_once__range", (1, 8)), ("timeout_ms__range", (100, 10000))),
                name="upstream_interface_bounds",
            ),
        ),
        migrations.AddConstraint(
            model_name="upstreamauthorization",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["BLANKET", "PER_CASE"])), name="upstream_authorization_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="upstreamauthorization",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_to__gte", models.F("valid_from"))), name="upstream_authorization_dates"
            ),
        ),
        migrations.AddConstraint(
            model_name="upstreamrelay",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", [0, 1, 2, 3, 4, 5, 8])), name="upstream_relay_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="upstreamreceipt",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", [0, 1, 2, 3, 4, 5, 8])), name="upstream_receipt_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="upstreamsecret",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_to", None), ("valid_to__gte", models.F("valid_from")), _connector="OR"),
                name="upstream_secret_dates",
            ),
        ),
        migrations.RunSQL(*guard("exchange_upstreamreceipt")),
    ]
