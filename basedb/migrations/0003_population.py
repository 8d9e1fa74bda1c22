"""Tables of what is known of people beside their own row, and of the life events that go out from there."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared
from core.append_only import guard


class Migration(migrations.Migration):
    dependencies = [
        ("basedb", "0002_source_records_and_fusion"),
        ("core", "0005_audit_xid"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="LifeEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "uid",
                    models.UUIDField(
                        db_default=models.Func(function="gen_random_uuid"), default=core.ids.uuid7, editable=False, unique=True
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("10", "出生"),
                            ("20", "死亡"),
                            ("30", "结婚"),
                            ("40", "离婚"),
                            ("50", "迁入"),
                            ("51", "迁出"),
                            ("C4", "法人注销"),
                            ("C2", "法人吊销"),
                        ],
                        max_length=2,
                        verbose_name="事件类别",
                    ),
                ),
                ("subject_key", models.BinaryField(max_length=16)),
                ("occurred_on", models.DateField(verbose_name="发生日期")),
                ("turn", models.PositiveSmallIntegerField()),
                ("source_record_id", models.BigIntegerField()),
                (
                    "recorded_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="记录时间"),
                ),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                (
                    "source_department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="数源部门"
                    ),
                ),
            ],
            options={
                "verbose_name": "生命事件",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="LifeEventNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="签收时间")),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="notices", to="basedb.lifeevent"
                    ),
                ),
                (
                    "seen_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "生命事件通知",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="LifeEventSubscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("10", "出生"),
                            ("20", "死亡"),
                            ("30", "结婚"),
                            ("40", "离婚"),
                            ("50", "迁入"),
                            ("51", "迁出"),
                            ("C4", "法人注销"),
                            ("C2", "法人吊销"),
                        ],
                        max_length=2,
                        verbose_name="事件类别",
                    ),
                ),
                ("legal_basis", models.CharField(max_length=200, verbose_name="依据")),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(verbose_name="登记时间")),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="接收部门"
                    ),
                ),
            ],
            options={
                "verbose_name": "生命事件订阅",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="NameUsage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("row_key", models.BinaryField(max_length=16, unique=True)),
                ("citizen_id", models.CharField(max_length=18, verbose_name="公民身份号码")),
                ("name_kind", models.CharField(max_length=1, verbose_name="姓名类别")),
                ("used_name", models.CharField(max_length=50, verbose_name="使用姓名")),
                ("used_from", models.DateField(null=True, verbose_name="启用日期")),
                ("used_to", models.DateField(null=True, verbose_name="停用日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "人口姓名使用信息",
            },
        ),
        migrations.CreateModel(
            name="Residence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("row_key", models.BinaryField(max_length=16, unique=True)),
                ("citizen_id", models.CharField(max_length=18, verbose_name="公民身份号码")),
                ("residence_kind", models.CharField(max_length=1, verbose_name="居住类别")),
                ("region_code", models.CharField(max_length=12, verbose_name="所在区划")),
                ("address", models.CharField(max_length=200, verbose_name="居住地址")),
                ("moved_in_on", models.DateField(verbose_name="迁入日期")),
                ("moved_out_on", models.DateField(null=True, verbose_name="迁出日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "人口居住信息",
            },
        ),
        migrations.CreateModel(
            name="ReviewMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("holding", models.CharField(max_length=60, verbose_name="事项")),
                ("row_key", models.BinaryField(max_length=16)),
                ("opened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="发现时间")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="消除时间")),
                (
                    "event",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="marks", to="basedb.lifeevent"),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="复核部门"
                    ),
                ),
            ],
            options={
                "verbose_name": "待复核事项",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="VitalEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("row_key", models.BinaryField(max_length=16, unique=True)),
                ("citizen_id", models.CharField(max_length=18, verbose_name="公民身份号码")),
                ("vital_event", models.CharField(max_length=2, verbose_name="事件类别")),
                ("occurred_on", models.DateField(verbose_name="发生日期")),
                ("registered_on", models.DateField(null=True, verbose_name="登记日期")),
                ("certificate_number", models.CharField(max_length=40, null=True, verbose_name="证明编号")),
                ("partner_key", models.BinaryField(max_length=16, null=True, verbose_name="配偶")),
                ("mother_key", models.BinaryField(max_length=16, null=True, verbose_name="母亲")),
                ("father_key", models.BinaryField(max_length=16, null=True, verbose_name="父亲")),
                ("region_code", models.CharField(max_length=12, null=True, verbose_name="登记区划")),
                ("authority", models.CharField(max_length=100, null=True, verbose_name="登记机构")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "人口生命事件",
            },
        ),
        migrations.CreateModel(
            name="Attribute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("row_key", models.BinaryField(max_length=16, unique=True)),
                ("citizen_id", models.CharField(max_length=18, verbose_name="公民身份号码")),
                ("attribute_kind", models.CharField(max_length=20, verbose_name="属性类别")),
                ("attribute_value", models.CharField(max_length=20, verbose_name="属性值")),
                ("valid_from", models.DateField(verbose_name="起始日期")),
                ("valid_to", models.DateField(null=True, verbose_name="终止日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "人口属性信息",
                "indexes": [models.Index(fields=["subject_key"], name="attribute_subject")],
            },
        ),
        migrations.CreateModel(
            name="Household",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("row_key", models.BinaryField(max_length=16, unique=True)),
                ("household_number", models.CharField(max_length=30, verbose_name="户号")),
                ("household_kind", models.CharField(max_length=1, verbose_name="户别")),
                ("head_key", models.BinaryField(max_length=16, null=True, verbose_name="户主")),
                ("region_code", models.CharField(max_length=12, verbose_name="户籍区划")),
                ("address", models.CharField(max_length=200, null=True, verbose_name="户籍地址")),
                ("set_up_on", models.DateField(null=True, verbose_name="立户日期")),
                ("dissolved_on", models.DateField(null=True, verbose_name="销户日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "户信息",
                "indexes": [
                    models.Index(fields=["subject_key"], name="household_subject"),
                    models.Index(condition=models.Q(("head_key__isnull", False)), fields=["head_key"], name="household_head_key"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HouseholdMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("row_key", models.BinaryField(max_length=16, unique=True)),
                ("citizen_id", models.CharField(max_length=18, verbose_name="公民身份号码")),
                ("household_number", models.CharField(max_length=30, verbose_name="户号")),
                ("household_relation", models.CharField(max_length=2, verbose_name="与户主关系")),
                ("joined_on", models.DateField(null=True, verbose_name="入户日期")),
                ("left_on", models.DateField(null=True, verbose_name="离户日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "户成员信息",
                "constraints": [models.UniqueConstraint(fields=("subject_key",), name="one_household_a_person")],
            },
        ),
        migrations.CreateModel(
            name="Identifier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_key", models.BinaryField(max_length=16)),
                ("source_record_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("changed_xid", core.models.shared.XidField(db_default=core.models.shared.CurrentXid())),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("row_key", models.BinaryField(max_length=16, unique=True)),
                ("citizen_id", models.CharField(max_length=18, verbose_name="公民身份号码")),
                ("person_paper", models.CharField(max_length=3, verbose_name="证件类型")),
                ("paper_number", models.CharField(max_length=30, verbose_name="证件号码")),
                ("issuer", models.CharField(max_length=100, null=True, verbose_name="签发机关")),
                ("issued_on", models.DateField(null=True, verbose_name="签发日期")),
                ("expires_on", models.DateField(null=True, verbose_name="有效期至")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "人口证件信息",
                "indexes": [models.Index(fields=["subject_key"], name="identifier_subject")],
            },
        ),
        migrations.AddIndex(
            model_name="lifeevent",
            index=models.Index(fields=["changed_xid", "id"], name="life_event_order"),
        ),
        migrations.AddConstraint(
            model_name="lifeevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ("10", "20"))), fields=("subject_key", "kind", "turn"), name="life_event_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="lifeevent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ("10", "20")), _negated=True),
                fields=("subject_key", "kind", "occurred_on", "turn"),
                name="life_event_once_a_day",
            ),
        ),
        migrations.AddIndex(
            model_name="lifeeventnotice",
            index=models.Index(fields=["department", "-id"], name="life_event_notice_department"),
        ),
        migrations.AddConstraint(
            model_name="lifeeventnotice",
            constraint=models.UniqueConstraint(fields=("event", "department"), name="life_event_notice_once"),
        ),
        migrations.AddConstraint(
            model_name="lifeeventsubscription",
            constraint=models.UniqueConstraint(fields=("department", "kind"), name="life_event_subscription_once"),
        ),
        migrations.AddIndex(
            model_name="nameusage",
            index=models.Index(fields=["subject_key"], name="nameusage_subject"),
        ),
        migrations.AddIndex(
            model_name="residence",
            index=models.Index(fields=["subject_key"], name="residence_subject"),
        ),
        migrations.AddIndex(
            model_name="reviewmark",
            index=models.Index(condition=models.Q(("closed_at", None)), fields=["owner", "-id"], name="review_mark_open"),
        ),
        migrations.AddConstraint(
            model_name="reviewmark",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at", None)), fields=("holding", "row_key"), name="review_mark_once"
            ),
        ),
        migrations.AddIndex(
            model_name="vitalevent",
            index=models.Index(fields=["subject_key"], name="vitalevent_subject"),
        ),
        migrations.AddIndex(
            model_name="vitalevent",
            index=models.Index(
                condition=models.Q(("partner_key__isnull", False)), fields=["partner_key"], name="vitalevent_partner_key"
            ),
        ),
        migrations.AddIndex(
            model_name="vitalevent",
            index=models.Index(
                condition=models.Q(("mother_key__isnull", False)), fields=["mother_key"], name="vitalevent_mother_key"
            ),
        ),
        migrations.AddIndex(
            model_name="vitalevent",
            index=models.Index(
                condition=models.Q(("father_key__isnull", False)), fields=["father_key"], name="vitalevent_father_key"
            ),
        ),
        migrations.RunSQL(*guard("basedb_lifeevent")),
    ]
