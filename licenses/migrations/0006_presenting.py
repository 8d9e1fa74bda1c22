"""Presenting: sessions of holders, one-time codes, agents of enterprises, blocks; the tries that were refused are append-only."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids
from core import append_only


class Migration(migrations.Migration):
    dependencies = [("licenses", "0005_status")]
    operations = [
        migrations.CreateModel(
            name="EnterpriseAgent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("enterprise_key", models.BinaryField(max_length=16)),
                ("agent_key", models.BinaryField(max_length=16)),
                ("agent_name", models.CharField(max_length=50, verbose_name="代办人")),
                (
                    "type_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=21), default=list, size=None, verbose_name="可出示的证照类型"
                    ),
                ),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="授权期限")),
                ("granted_by_key", models.BinaryField(max_length=16)),
                ("granted_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="授权时间")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="撤回时间")),
            ],
            options={
                "verbose_name": "企业代办人",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["enterprise_key", "-id"], name="agent_of_enterprise"),
                    models.Index(fields=["agent_key"], name="agent_person"),
                ],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("revoked_at", None)),
                        expressions=[("enterprise_key", "="), ("agent_key", "="), ("period", "&&")],
                        name="agent_one_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("period__endswith__isnull", False), ("period__startswith__isnull", False)),
                        name="agent_period_bounded",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="HolderBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("subject_key", models.BinaryField(max_length=16)),
                ("by", models.CharField(choices=[("HOLDER", "本人"), ("HOTLINE", "热线")], max_length=10, verbose_name="停用方式")),
                ("reason", models.CharField(max_length=200, verbose_name="原因")),
                ("actor_id", models.BigIntegerField(null=True)),
                ("blocked_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="停用时间")),
                ("lifted_at", models.DateTimeField(null=True, verbose_name="恢复时间")),
                ("lifted_by_id", models.BigIntegerField(null=True)),
                ("lifted_reason", models.CharField(blank=True, default="", max_length=200, verbose_name="恢复原因")),
            ],
            options={
                "verbose_name": "亮证停用",
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)), fields=("subject_key",), name="holder_block_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HolderSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("subject_key", models.BinaryField(max_length=16)),
                (
                    "subject_kind",
                    models.CharField(
                        choices=[("PERSON", "自然人"), ("LEGAL_ENTITY", "法人和非法人组织")], max_length=20, verbose_name="主体类型"
                    ),
                ),
                ("person_key", models.BinaryField(max_length=16)),
                (
                    "assurance",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "口令登录"), (2, "实名核验"), (3, "实人核验")], verbose_name="身份核验等级"
                    ),
                ),
                ("system_id", models.BigIntegerField()),
                ("system_name", models.CharField(max_length=60, verbose_name="身份应用")),
                ("ticket_digest", models.BinaryField(max_length=32, unique=True)),
                ("ticket_until", models.DateTimeField(verbose_name="入口失效时间")),
                ("token_digest", models.BinaryField(max_length=32, null=True, unique=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("opened_at", models.DateTimeField(null=True, verbose_name="打开时间")),
                ("expires_at", models.DateTimeField(null=True, verbose_name="会话失效时间")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="结束时间")),
                (
                    "agent",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licenses.enterpriseagent",
                    ),
                ),
            ],
            options={
                "verbose_name": "持证人会话",
            },
        ),
        migrations.CreateModel(
            name="PresentingCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("subject_key", models.BinaryField(max_length=16)),
                (
                    "subject_kind",
                    models.CharField(
                        choices=[("PERSON", "自然人"), ("LEGAL_ENTITY", "法人和非法人组织")], max_length=20, verbose_name="主体类型"
                    ),
                ),
                (
                    "chosen",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=32), default=list, size=None, verbose_name="选定的证照"
                    ),
                ),
                (
                    "type_codes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=21), default=list, size=None, verbose_name="代办人可出示的证照类型"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("CREATED", "待扫码"),
                            ("SCANNED", "待本人确认"),
                            ("CONFIRMED", "已确认"),
                            ("REFUSED", "本人已拒绝"),
                            ("READ", "已完成"),
                            ("BLOCKED", "已停用"),
                        ],
                        default="CREATED",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("expires_at", models.DateTimeField(verbose_name="失效时间")),
                ("scanned_at", models.DateTimeField(null=True, verbose_name="扫码时间")),
                ("answer_until", models.DateTimeField(null=True, verbose_name="确认期限")),
                ("system_id", models.BigIntegerField(null=True)),
                ("system_name", models.CharField(blank=True, default="", max_length=60, verbose_name="扫码系统")),
                ("department_id", models.BigIntegerField(null=True)),
                ("department_name", models.CharField(blank=True, default="", max_length=100, verbose_name="扫码单位")),
                ("grant_id", models.BigIntegerField(null=True)),
                ("actor_id", models.BigIntegerField(null=True)),
                ("matter", models.CharField(blank=True, default="", max_length=64, verbose_name="事项编码")),
                ("matter_title", models.CharField(blank=True, default="", max_length=200, verbose_name="事项")),
                ("purpose", models.CharField(blank=True, default="", max_length=200, verbose_name="用途")),
                ("basis", models.CharField(blank=True, default="", max_length=500, verbose_name="依据")),
                ("asked", models.JSONField(default=list)),
                ("given", models.JSONField(null=True)),
                ("answered_at", models.DateTimeField(null=True, verbose_name="答复时间")),
                ("read_until", models.DateTimeField(null=True, verbose_name="读取期限")),
                ("read_at", models.DateTimeField(null=True, verbose_name="读取时间")),
                ("rescans", models.PositiveSmallIntegerField(default=0, verbose_name="再次扫码次数")),
                ("rescanned_at", models.DateTimeField(null=True, verbose_name="再次扫码时间")),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="codes",
                        to="licenses.holdersession",
                    ),
                ),
            ],
            options={
                "verbose_name": "亮证码",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="PresentingTry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system_id", models.BigIntegerField()),
                ("actor_id", models.BigIntegerField(null=True)),
                ("code", models.CharField(max_length=40, verbose_name="原因")),
                ("subject_key", models.BinaryField(max_length=16, null=True)),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="时间")),
            ],
            options={
                "verbose_name": "未通过的扫码",
                "indexes": [
                    models.Index(fields=["system_id", "-at"], name="presenting_try_system"),
                    models.Index(
                        condition=models.Q(("subject_key__isnull", False)),
                        fields=["subject_key", "-at"],
                        name="presenting_try_subject",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="holdersession",
            index=models.Index(condition=models.Q(("ended_at", None)), fields=["subject_key"], name="holder_session_live"),
        ),
        migrations.AddIndex(
            model_name="holdersession",
            index=models.Index(condition=models.Q(("ended_at", None)), fields=["person_key"], name="holder_session_person"),
        ),
        migrations.AddIndex(
            model_name="presentingcode",
            index=models.Index(fields=["subject_key", "-id"], name="code_of_subject"),
        ),
        migrations.AddIndex(
            model_name="presentingcode",
            index=models.Index(
                condition=models.Q(("department_id__isnull", False)), fields=["department_id", "-id"], name="code_at_desk"
            ),
        ),
        migrations.AddConstraint(
            model_name="presentingcode",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["CREATED", "SCANNED", "CONFIRMED", "REFUSED", "READ", "BLOCKED"])),
                name="code_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="presentingcode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("CREATED", "BLOCKED")),
                    models.Q(("answer_until__isnull", False), ("grant_id__isnull", False), ("scanned_at__isnull", False)),
                    _connector="OR",
                ),
                name="code_scanned_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="presentingcode",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("CONFIRMED", "READ")), _negated=True),
                    models.Q(("answered_at__isnull", False), ("given__isnull", False), ("read_until__isnull", False)),
                    _connector="OR",
                ),
                name="code_confirmed_whole",
            ),
        ),
        migrations.RunSQL(*append_only.guard("licenses_presentingtry")),
        # A code is written once and changed three times within minutes: room for that on its page.
        migrations.RunSQL("ALTER TABLE licenses_presentingcode SET (fillfactor = 50)", migrations.RunSQL.noop),
    ]
