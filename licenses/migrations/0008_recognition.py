"""Trusted nodes and keys, batches in both directions, questions of nodes, fetched licenses, differences."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared
from core import append_only


class Migration(migrations.Migration):
    dependencies = [("licenses", "0007_missing")]

    operations = [
        migrations.CreateModel(
            name="DifferenceReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("made_at", models.DateTimeField(verbose_name="生成时间")),
                ("ours", models.PositiveIntegerField(verbose_name="本节点")),
                ("theirs", models.PositiveIntegerField(verbose_name="对方节点")),
                ("different", models.PositiveIntegerField(verbose_name="有差异的类型月份")),
            ],
            options={
                "verbose_name": "差异报告",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="InBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("number", models.BigIntegerField(verbose_name="批次号")),
                ("digest", models.CharField(max_length=64, verbose_name="摘要")),
                ("rows", models.PositiveIntegerField(verbose_name="行数")),
                ("rejected", models.PositiveIntegerField(verbose_name="退回行数")),
                ("receipt", models.TextField()),
                ("received_at", models.DateTimeField(verbose_name="接收时间")),
                ("delivered_at", models.DateTimeField(null=True, verbose_name="入库时间")),
            ],
            options={
                "verbose_name": "接收批次",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="TrustedNode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("code", models.CharField(max_length=12, unique=True, verbose_name="节点代码")),
                ("name", models.CharField(max_length=100, verbose_name="节点名称")),
                ("region_code", models.CharField(max_length=12, verbose_name="所属区划")),
                (
                    "relation",
                    models.CharField(
                        choices=[("ABOVE", "上级节点"), ("BELOW", "下级节点"), ("PEER", "其他地区")],
                        max_length=10,
                        verbose_name="与本节点关系",
                    ),
                ),
                ("endpoint", models.URLField(blank=True, default="", verbose_name="接口地址")),
                ("created_at", models.DateTimeField(verbose_name="登记时间")),
                ("revision", models.PositiveIntegerField(default=1)),
            ],
            options={
                "verbose_name": "互认节点",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="NodeQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("nonce", models.CharField(max_length=64)),
                ("kind", models.CharField(max_length=20, verbose_name="种类")),
                ("matter", models.CharField(blank=True, default="", max_length=200, verbose_name="事项")),
                ("purpose", models.CharField(blank=True, default="", max_length=200, verbose_name="用途")),
                ("is_answered", models.BooleanField(verbose_name="有结果")),
                ("at", models.DateTimeField(verbose_name="时间")),
            ],
            options={
                "verbose_name": "互认询问",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="NodeStatusList",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=20, verbose_name="清单")),
                ("content", models.TextField()),
                ("built_at", models.DateTimeField(verbose_name="生成时间")),
                ("valid_until", models.DateTimeField(verbose_name="有效至")),
                ("fetched_at", models.DateTimeField(verbose_name="取得时间")),
            ],
            options={
                "verbose_name": "互认状态清单",
            },
        ),
        migrations.CreateModel(
            name="OutBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(verbose_name="批次号")),
                ("rows", models.PositiveIntegerField(verbose_name="行数")),
                ("envelope", models.TextField()),
                ("digest", models.CharField(max_length=64, verbose_name="摘要")),
                ("made_at", models.DateTimeField(verbose_name="生成时间")),
                (
                    "state",
                    models.CharField(
                        choices=[("PENDING", "待发送"), ("ACKNOWLEDGED", "已签收"), ("STOPPED", "已停止，待处理")],
                        default="PENDING",
                        max_length=20,
                        verbose_name="状态",
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="已尝试")),
                (
                    "next_attempt_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="下次发送"),
                ),
                ("claimed_until", models.DateTimeField(null=True)),
                ("fault", models.CharField(blank=True, default="", max_length=100, verbose_name="原因")),
                ("acknowledged_at", models.DateTimeField(null=True, verbose_name="签收时间")),
                ("rejected_count", models.PositiveIntegerField(default=0, verbose_name="被退回行数")),
                ("receipt", models.TextField(blank=True, default="")),
            ],
            options={
                "verbose_name": "推送批次",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="TrustedKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("key_id", models.CharField(max_length=16, unique=True, verbose_name="密钥标识")),
                ("fingerprint", models.CharField(max_length=64, unique=True, verbose_name="指纹(SM3)")),
                ("public_key", models.TextField(verbose_name="公钥（PEM）")),
                ("valid_from", models.DateTimeField(verbose_name="启用时间")),
                ("valid_to", models.DateTimeField(verbose_name="停用时间")),
                ("proposed_at", models.DateTimeField(verbose_name="提交时间")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="复核时间")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="撤销时间")),
                ("revoked_reason", models.CharField(blank=True, default="", max_length=300, verbose_name="撤销原因")),
            ],
            options={
                "verbose_name": "互认公钥",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="DifferenceLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("month", models.CharField(max_length=7, verbose_name="颁发月份")),
                ("ours", models.PositiveIntegerField(verbose_name="本节点")),
                ("theirs", models.PositiveIntegerField(verbose_name="对方节点")),
                ("is_same", models.BooleanField(verbose_name="一致")),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="licenses.differencereport"
                    ),
                ),
            ],
            options={
                "verbose_name": "差异明细",
                "ordering": ["is_same", "type_code", "month"],
            },
        ),
        migrations.CreateModel(
            name="DifferenceItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("HERE_ONLY", "仅本节点有"), ("THERE_ONLY", "仅对方有"), ("STATE", "状态不一致")],
                        max_length=10,
                        verbose_name="差异",
                    ),
                ),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("identifier", models.CharField(max_length=128, verbose_name="电子证照标识")),
                ("our_state", models.CharField(blank=True, default="", max_length=2, verbose_name="本节点状态")),
                ("their_state", models.CharField(blank=True, default="", max_length=2, verbose_name="对方状态")),
                (
                    "report",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="licenses.differencereport"
                    ),
                ),
            ],
            options={
                "verbose_name": "差异证照",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="ForeignLicense",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("identifier", models.CharField(max_length=128, verbose_name="电子证照标识")),
                ("matter", models.CharField(max_length=200, verbose_name="事项")),
                ("purpose", models.CharField(max_length=200, verbose_name="用途")),
                ("fetched_at", models.DateTimeField(verbose_name="调取时间")),
                ("expires_at", models.DateTimeField(verbose_name="保留至")),
                ("result", models.JSONField()),
                ("document", models.JSONField(null=True)),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="调取部门"
                    ),
                ),
                (
                    "fetched_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="调取人",
                    ),
                ),
            ],
            options={
                "verbose_name": "异地证照",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="ExchangeRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row_number", models.PositiveIntegerField(verbose_name="行号")),
                ("identifier", models.CharField(blank=True, default="", max_length=128, verbose_name="电子证照标识")),
                (
                    "state",
                    models.CharField(
                        choices=[("WAITING", "待入库"), ("DELIVERED", "已入库"), ("REJECTED", "已退回")],
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("code", models.CharField(blank=True, default="", max_length=100, verbose_name="原因代码")),
                ("document", models.JSONField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="exchange_rows",
                        to="licenses.inbatch",
                    ),
                ),
            ],
            options={
                "verbose_name": "互认数据行",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="NodePosition",
            fields=[
                (
                    "node",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="position",
                        serialize=False,
                        to="licenses.trustednode",
                    ),
                ),
                ("sent_xid", core.models.shared.XidField(default=0)),
                ("sent_id", models.BigIntegerField(default=0)),
                ("sent_number", models.BigIntegerField(default=0)),
                ("sent_digest", models.CharField(blank=True, default="", max_length=64)),
                ("received_number", models.BigIntegerField(default=0)),
                ("received_digest", models.CharField(blank=True, default="", max_length=64)),
                ("received_at", models.DateTimeField(null=True)),
                ("gap_number", models.BigIntegerField(null=True)),
                ("gap_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "互认进度",
            },
        ),
        migrations.AddConstraint(
            model_name="trustednode",
            constraint=models.CheckConstraint(
                condition=models.Q(("relation__in", ["ABOVE", "BELOW", "PEER"])), name="trusted_node_relation"
            ),
        ),
        migrations.AddConstraint(
            model_name="trustednode",
            constraint=models.CheckConstraint(
                condition=models.Q(("code__regex", "^[0-9A-Z]{2,12}$")), name="trusted_node_code_form"
            ),
        ),
        migrations.AddField(
            model_name="inbatch",
            name="node",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="in_batches", to="licenses.trustednode"
            ),
        ),
        migrations.AddField(
            model_name="foreignlicense",
            name="node",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licenses.trustednode"
            ),
        ),
        migrations.AddField(
            model_name="differencereport",
            name="node",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="difference_reports", to="licenses.trustednode"
            ),
        ),
        migrations.AddField(
            model_name="nodequestion",
            name="node",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="questions", to="licenses.trustednode"
            ),
        ),
        migrations.AddField(
            model_name="nodestatuslist",
            name="node",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="status_lists", to="licenses.trustednode"
            ),
        ),
        migrations.AddField(
            model_name="outbatch",
            name="node",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="out_batches", to="licenses.trustednode"
            ),
        ),
        migrations.AddField(
            model_name="trustedkey",
            name="confirmed_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="复核人",
            ),
        ),
        migrations.AddField(
            model_name="trustedkey",
            name="node",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="keys", to="licenses.trustednode"),
        ),
        migrations.AddField(
            model_name="trustedkey",
            name="proposed_by",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="提交人",
            ),
        ),
        migrations.AddField(
            model_name="inbatch",
            name="key",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licenses.trustedkey"
            ),
        ),
        migrations.AddIndex(
            model_name="exchangerow",
            index=models.Index(condition=models.Q(("state", "REJECTED")), fields=["-id"], name="exchange_row_rejected"),
        ),
        migrations.AddConstraint(
            model_name="exchangerow",
            constraint=models.UniqueConstraint(fields=("batch", "row_number"), name="exchange_row_once"),
        ),
        migrations.AddIndex(
            model_name="foreignlicense",
            index=models.Index(
                condition=models.Q(("document__isnull", False)), fields=["expires_at"], name="foreign_license_expiry"
            ),
        ),
        migrations.AddConstraint(
            model_name="nodequestion",
            constraint=models.UniqueConstraint(fields=("node", "nonce"), name="node_question_once"),
        ),
        migrations.AddConstraint(
            model_name="nodestatuslist",
            constraint=models.UniqueConstraint(fields=("node", "name"), name="node_status_list_once"),
        ),
        migrations.AddIndex(
            model_name="outbatch",
            index=models.Index(
                condition=models.Q(("state", "ACKNOWLEDGED"), _negated=True), fields=["node", "number"], name="out_batch_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="outbatch",
            constraint=models.UniqueConstraint(fields=("node", "number"), name="out_batch_once"),
        ),
        migrations.AddConstraint(
            model_name="trustedkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("confirmed_by", None), models.Q(("confirmed_by", models.F("proposed_by")), _negated=True), _connector="OR"
                ),
                name="trusted_key_two_persons",
            ),
        ),
        migrations.AddConstraint(
            model_name="trustedkey",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at", None), ("confirmed_by", None)),
                    models.Q(("confirmed_at__isnull", False), ("confirmed_by__isnull", False)),
                    _connector="OR",
                ),
                name="trusted_key_confirmed_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="trustedkey",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_to__gt", models.F("valid_from"))), name="trusted_key_validity"
            ),
        ),
        migrations.AddIndex(
            model_name="inbatch",
            index=models.Index(condition=models.Q(("delivered_at", None)), fields=["id"], name="in_batch_waiting"),
        ),
        migrations.AddConstraint(
            model_name="inbatch",
            constraint=models.UniqueConstraint(fields=("node", "number"), name="in_batch_once"),
        ),
        migrations.RunSQL(*append_only.guard("licenses_nodequestion")),
    ]
