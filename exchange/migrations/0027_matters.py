"""Matters with their materials and the cases fetched for; figures of matters and of licenses."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared
from core.append_only import guard


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0005_audit_xid"),
        ("exchange", "0026_presenting"),
    ]

    operations = [
        migrations.CreateModel(
            name="Matter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("code", models.CharField(max_length=40, verbose_name="事项编码")),
                ("number", models.PositiveSmallIntegerField(default=1, verbose_name="版本")),
                ("name", models.CharField(max_length=100, verbose_name="事项名称")),
                ("summary", models.CharField(blank=True, default="", max_length=500, verbose_name="说明")),
                ("legal_basis", models.CharField(max_length=500, verbose_name="依据")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="牵头部门"
                    ),
                ),
                (
                    "consumers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None, verbose_name="联办部门"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("DRAFT", "编制中"),
                            ("SUBMITTED", "待数据中心审核"),
                            ("PUBLISHED", "已发布"),
                            ("RETIRED", "已停用"),
                        ],
                        default="DRAFT",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("note", models.CharField(blank=True, default="", max_length=500, verbose_name="审核意见")),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("published_at", models.DateTimeField(null=True, verbose_name="发布时间")),
                ("retired_at", models.DateTimeField(null=True, verbose_name="停用时间")),
            ],
            options={
                "verbose_name": "事项",
                "ordering": ["code", "-number"],
                "constraints": [
                    models.UniqueConstraint(fields=("code", "number"), name="matter_version_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "PUBLISHED")), fields=("code",), name="matter_one_in_force"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("DRAFT", "SUBMITTED"))), fields=("code",), name="matter_one_draft"
                    ),
                    models.CheckConstraint(condition=models.Q(("code__regex", "^[A-Za-z0-9_-]{1,40}$")), name="matter_code_form"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["DRAFT", "SUBMITTED", "PUBLISHED", "RETIRED"])), name="matter_state_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MatterParty",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "matter",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="parties", to="exchange.matter"
                    ),
                ),
                ("ordinal", models.PositiveSmallIntegerField(verbose_name="顺序")),
                ("role", models.CharField(max_length=40, verbose_name="标识")),
                ("title", models.CharField(max_length=40, verbose_name="名称")),
                (
                    "kind",
                    models.CharField(
                        choices=[("PERSON", "自然人"), ("LEGAL_ENTITY", "法人和非法人组织")], max_length=12, verbose_name="类型"
                    ),
                ),
                ("is_required", models.BooleanField(default=True, verbose_name="必填")),
                ("may_coincide", models.BooleanField(default=False, verbose_name="可与其他当事人相同")),
            ],
            options={
                "verbose_name": "当事人",
                "ordering": ["matter", "ordinal"],
                "constraints": [
                    models.UniqueConstraint(fields=("matter", "role"), name="matter_party_once"),
                    models.CheckConstraint(
                        condition=models.Q(("role__regex", "^[a-z][a-z0-9_]{0,39}$")), name="matter_party_role_form"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["PERSON", "LEGAL_ENTITY"])), name="matter_party_kind_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Material",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "matter",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="materials", to="exchange.matter"
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="materials",
                        to="exchange.matterparty",
                        verbose_name="当事人",
                    ),
                ),
                ("ordinal", models.PositiveSmallIntegerField(verbose_name="顺序")),
                ("code", models.CharField(max_length=40, verbose_name="标识")),
                ("title", models.CharField(max_length=100, verbose_name="材料名称")),
                ("is_required", models.BooleanField(default=True, verbose_name="必要")),
                (
                    "source",
                    models.CharField(
                        choices=[("LICENSE", "电子证照"), ("DATASET", "基础库数据"), ("SUBMIT", "须由申请人提交")],
                        max_length=10,
                        verbose_name="替代来源",
                    ),
                ),
                ("type_code", models.CharField(blank=True, default="", max_length=21, verbose_name="证照类型代码")),
                ("dataset", models.CharField(blank=True, default="", max_length=60, verbose_name="数据集")),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), default=list, size=None, verbose_name="信息项"
                    ),
                ),
            ],
            options={
                "verbose_name": "申请材料",
                "ordering": ["matter", "ordinal"],
                "constraints": [
                    models.UniqueConstraint(fields=("matter", "code"), name="material_once"),
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[a-z][a-z0-9_]{0,39}$")), name="material_code_form"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("dataset", ""),
                                ("items__len__gt", 0),
                                ("source", "LICENSE"),
                                ("type_code__regex", "^[0-9A-Z]{18}[0-9]{3}$"),
                            ),
                            models.Q(
                                ("items__len__gt", 0),
                                ("source", "DATASET"),
                                ("type_code", ""),
                                models.Q(("dataset", ""), _negated=True),
                            ),
                            models.Q(("dataset", ""), ("items", []), ("source", "SUBMIT"), ("type_code", "")),
                            _connector="OR",
                        ),
                        name="material_source_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MatterCase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                (
                    "system",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="exchange.consumersystem"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
                ("matter_code", models.CharField(max_length=40, verbose_name="事项编码")),
                ("case_number", models.CharField(max_length=40, verbose_name="办件编号")),
                ("opened_at", models.DateTimeField(verbose_name="首次取数时间")),
            ],
            options={
                "verbose_name": "办件",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["department", "-id"], name="matter_case_department")],
                "constraints": [models.UniqueConstraint(fields=("system", "case_number"), name="matter_case_once")],
            },
        ),
        migrations.CreateModel(
            name="MatterFetch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="fetches",
                        to="exchange.mattercase",
                    ),
                ),
                (
                    "matter",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="exchange.matter"
                    ),
                ),
                ("key", models.CharField(max_length=80, verbose_name="幂等键")),
                ("digest", models.BinaryField(max_length=32)),
                ("purpose", models.CharField(max_length=200, verbose_name="用途")),
                ("officer", models.CharField(blank=True, default="", max_length=40, verbose_name="经办人工号")),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="经办人",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="取数时间")),
                ("answer_digest", models.BinaryField(max_length=32)),
                ("answer_key_id", models.IntegerField(null=True)),
                ("answer_nonce", models.BinaryField(max_length=12, null=True)),
                ("answer_ciphertext", models.BinaryField(null=True)),
                ("kept_until", models.DateTimeField(verbose_name="应答保存至")),
            ],
            options={
                "verbose_name": "取数记录",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("answer_ciphertext__isnull", False)), fields=["kept_until"], name="matter_fetch_kept"
                    ),
                    models.Index(fields=["at"], name="matter_fetch_at"),
                ],
                "constraints": [models.UniqueConstraint(fields=("case", "key"), name="matter_fetch_once")],
            },
        ),
        migrations.CreateModel(
            name="MatterPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "fetch",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="parts", to="exchange.matterfetch"
                    ),
                ),
                ("ordinal", models.PositiveSmallIntegerField(verbose_name="顺序")),
                ("material", models.CharField(max_length=40, verbose_name="材料标识")),
                ("title", models.CharField(max_length=100, verbose_name="材料名称")),
                ("party", models.CharField(max_length=40, verbose_name="当事人")),
                (
                    "source",
                    models.CharField(
                        choices=[("LICENSE", "电子证照"), ("DATASET", "基础库数据"), ("SUBMIT", "须由申请人提交")],
                        max_length=10,
                        verbose_name="替代来源",
                    ),
                ),
                ("type_code", models.CharField(blank=True, default="", max_length=21, verbose_name="证照类型代码")),
                ("dataset", models.CharField(blank=True, default="", max_length=60, verbose_name="数据集")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("FOUND", "已取得"),
                            ("NOT_FOUND", "没有查到"),
                            ("REFUSED_NO_GRANT", "没有授权"),
                            ("NOT_VALID", "证照无效"),
                            ("ERROR", "取数失败"),
                            ("TO_SUBMIT", "须提交"),
                            ("NOT_NEEDED", "本次无此当事人"),
                        ],
                        max_length=20,
                        verbose_name="结果",
                    ),
                ),
                ("reason", models.CharField(blank=True, default="", max_length=40, verbose_name="原因代码")),
                ("call_id", models.UUIDField(null=True, verbose_name="调用编号")),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), default=list, size=None, verbose_name="取得的信息项"
                    ),
                ),
                (
                    "missing_items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), default=list, size=None, verbose_name="未授权的信息项"
                    ),
                ),
                ("provider", models.CharField(blank=True, default="", max_length=200, verbose_name="数源部门")),
            ],
            options={
                "verbose_name": "取数结果",
                "ordering": ["fetch", "ordinal"],
                "constraints": [
                    models.UniqueConstraint(fields=("fetch", "ordinal"), name="matter_part_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["FOUND", "NOT_FOUND", "REFUSED_NO_GRANT", "NOT_VALID", "ERROR", "TO_SUBMIT", "NOT_NEEDED"],
                            )
                        ),
                        name="matter_part_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MatterFigure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(verbose_name="月份")),
                ("matter_code", models.CharField(max_length=40, verbose_name="事项编码")),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("FOUND", "已取得"),
                            ("NOT_FOUND", "没有查到"),
                            ("REFUSED_NO_GRANT", "没有授权"),
                            ("NOT_VALID", "证照无效"),
                            ("ERROR", "取数失败"),
                            ("TO_SUBMIT", "须提交"),
                            ("NOT_NEEDED", "本次无此当事人"),
                        ],
                        max_length=20,
                        verbose_name="结果",
                    ),
                ),
                ("part_count", models.BigIntegerField(verbose_name="材料数")),
                ("case_count", models.BigIntegerField(verbose_name="办件数")),
                ("measured_at", models.DateTimeField(verbose_name="统计时间")),
            ],
            options={
                "verbose_name": "事项统计",
                "ordering": ["month", "matter_code"],
                "constraints": [
                    models.UniqueConstraint(fields=("month", "matter_code", "department", "state"), name="matter_figure_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="LicenseFigure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("issuer", models.CharField(max_length=200, verbose_name="颁发机构")),
                ("region_code", models.CharField(max_length=6, verbose_name="区划")),
                ("month", models.DateField(null=True, verbose_name="颁发月份")),
                ("total", models.BigIntegerField(verbose_name="证照数")),
                ("live", models.BigIntegerField(verbose_name="有效")),
                ("expired", models.BigIntegerField(verbose_name="已过期")),
                ("ended", models.BigIntegerField(verbose_name="其他状态")),
                ("measured_at", models.DateTimeField(verbose_name="统计时间")),
            ],
            options={
                "verbose_name": "证照统计",
                "ordering": ["type_code", "issuer", "region_code", "month"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("type_code", "issuer", "region_code", "month"), name="license_figure_once", nulls_distinct=False
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LicenseCoverage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("rule", models.CharField(max_length=40, verbose_name="应持证口径")),
                ("expected", models.BigIntegerField(verbose_name="应持证数")),
                ("held", models.BigIntegerField(verbose_name="已持有数")),
                ("measured_at", models.DateTimeField(verbose_name="统计时间")),
            ],
            options={
                "verbose_name": "证照覆盖率",
                "ordering": ["type_code"],
                "constraints": [models.UniqueConstraint(fields=("type_code",), name="license_coverage_once")],
            },
        ),
        migrations.CreateModel(
            name="LicenseUsage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(verbose_name="月份")),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("channel", models.CharField(max_length=20, verbose_name="用证方式")),
                ("department", models.CharField(max_length=100, verbose_name="用证单位")),
                ("matter", models.CharField(max_length=200, verbose_name="事项")),
                ("use_count", models.BigIntegerField(verbose_name="用证次数")),
                ("measured_at", models.DateTimeField(verbose_name="统计时间")),
            ],
            options={
                "verbose_name": "用证统计",
                "ordering": ["month", "type_code", "channel"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("month", "type_code", "channel", "department", "matter"), name="license_usage_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(*guard("exchange_matterpart")),
    ]
