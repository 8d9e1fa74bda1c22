"""Drafts, batches and their rows, counters of serials, delivery; a license is signed once; types a holder may hold many of."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared

# A batch takes the ids of its licenses before it copies them in, and a signature is set once, never changed.
SEQUENCE = "GRANT USAGE ON SEQUENCE licenses_license_id_seq TO web, worker"
SIGNED_ONCE = """
CREATE FUNCTION licenses_refuse_second_signature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a license is signed once' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER signed_once BEFORE UPDATE OF signature, key_id ON licenses_license FOR EACH ROW
  WHEN (OLD.signature IS NOT NULL AND (OLD.signature, OLD.key_id) IS DISTINCT FROM (NEW.signature, NEW.key_id))
  EXECUTE FUNCTION licenses_refuse_second_signature()
"""
NOT_SIGNED_ONCE = "DROP TRIGGER signed_once ON licenses_license; DROP FUNCTION licenses_refuse_second_signature()"
# What stands for a house, a vehicle, a piece of equipment, a building site or a place of business, not for its holder.
REPEATABLE = (
    "11100000000013338W004", "11100000000013338W008", "11100000000013338W009", "11100000000013338W012", "11100000MB0143028R004",
    "11100000MB0143028R006", "11100000MB0143028R008", "11100000000013514R007", "11100000717800636U004", "11100000717800636U005",
    "11100000000019737U001", "11100000000019737U006", "11100000000019737U007", "11100000000014399D002", "11100000000014399D005",
    "11100000000014399D006", "11100000000014399D008", "11100000000019510Q001", "11100000000019510Q004", "11100000MB03271699001",
    "11100000MB03271699002", "11100000MB03271699003", "11100000MB03271699004", "11100000MB03271699005", "11100000MB1779796T001",
)  # fmt: skip


def load_repeatable(apps: object, _schema: object) -> None:
    """Put the types in."""
    model = apps.get_model("licenses", "RepeatableType")  # type: ignore[attr-defined]
    model.objects.bulk_create([model(type_code=code) for code in REPEATABLE], ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0005_audit_xid"),
        ("licenses", "0002_types"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(SEQUENCE, migrations.RunSQL.noop),
        migrations.RunSQL(SIGNED_ONCE, NOT_SIGNED_ONCE),
        migrations.RunSQL("CREATE INDEX license_by_number ON licenses_license (number)", "DROP INDEX license_by_number"),
        migrations.RunSQL(
            "CREATE INDEX license_unsigned ON licenses_license (id) WHERE signature IS NULL", "DROP INDEX license_unsigned"
        ),
        migrations.CreateModel(
            name="RepeatableType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type_code", models.CharField(max_length=21, unique=True, verbose_name="证照类型代码")),
            ],
            options={
                "verbose_name": "可重复持有的证照类型",
            },
        ),
        migrations.CreateModel(
            name="IssuingBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("number", models.CharField(max_length=30, unique=True, verbose_name="批次号")),
                (
                    "source",
                    models.CharField(
                        choices=[("PAGE", "页面导入"), ("REST", "接口提交"), ("AGGREGATION", "数据归集")],
                        max_length=20,
                        verbose_name="来源",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("CHECKING", "校验中"),
                            ("CHECKED", "待提交"),
                            ("TO_SIGN", "待签发"),
                            ("ISSUING", "签发中"),
                            ("DONE", "已办结"),
                            ("CANCELLED", "已取消"),
                        ],
                        default="CHECKING",
                        max_length=10,
                        verbose_name="环节",
                    ),
                ),
                ("file_name", models.CharField(blank=True, default="", max_length=200, verbose_name="文件名")),
                ("is_submitted", models.BooleanField(default=False)),
                ("row_count", models.PositiveIntegerField(default=0, verbose_name="行数")),
                ("good_count", models.PositiveIntegerField(default=0, verbose_name="可签发")),
                ("refused_count", models.PositiveIntegerField(default=0, verbose_name="未通过")),
                ("issued_count", models.PositiveIntegerField(default=0, verbose_name="已签发")),
                ("remark", models.CharField(blank=True, default="", max_length=500, verbose_name="意见")),
                ("system_id", models.BigIntegerField(null=True)),
                ("made_by_name", models.CharField(max_length=100, verbose_name="提交方")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="签发时间")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="办结时间")),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="签发人",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.department",
                        verbose_name="颁发机构",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="经办人",
                    ),
                ),
                (
                    "type_version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licenses.typeversion",
                        verbose_name="证照类型",
                    ),
                ),
            ],
            options={
                "verbose_name": "批量签发批次",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="IssuingDraft",
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
                        choices=[("NEW", "新发"), ("CHANGE", "变更"), ("RENEWAL", "延续"), ("REISSUE", "补发")],
                        default="NEW",
                        max_length=10,
                        verbose_name="办理类型",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("DRAFT", "起草中"),
                            ("TO_SIGN", "待签发"),
                            ("RETURNED", "已退回"),
                            ("ISSUED", "已签发"),
                            ("WITHDRAWN", "已撤回"),
                        ],
                        default="DRAFT",
                        max_length=10,
                        verbose_name="环节",
                    ),
                ),
                ("number", models.CharField(blank=True, default="", max_length=100, verbose_name="证照编号")),
                ("region_code", models.CharField(max_length=12, verbose_name="管辖属地")),
                ("holders", models.JSONField(default=list)),
                ("face", models.JSONField(default=dict)),
                ("valid_from", models.DateField(verbose_name="有效期起")),
                ("valid_to", models.DateField(blank=True, null=True, verbose_name="有效期止")),
                ("has_paper", models.BooleanField(default=False, verbose_name="同时发放纸质证照")),
                ("reason", models.CharField(blank=True, default="", max_length=500, verbose_name="事由")),
                ("basis", models.CharField(blank=True, default="", max_length=500, verbose_name="依据")),
                ("remark", models.CharField(blank=True, default="", max_length=500, verbose_name="退回意见")),
                ("findings", models.JSONField(default=list)),
                ("submitted_at", models.DateTimeField(null=True, verbose_name="提交时间")),
                ("decided_at", models.DateTimeField(null=True, verbose_name="办结时间")),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="签发人",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.department",
                        verbose_name="颁发机构",
                    ),
                ),
                (
                    "issued",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="draft", to="licenses.license"
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="经办人",
                    ),
                ),
                (
                    "supersedes",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drafts",
                        to="licenses.license",
                        verbose_name="原证照",
                    ),
                ),
                (
                    "type_version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licenses.typeversion",
                        verbose_name="证照类型",
                    ),
                ),
            ],
            options={
                "verbose_name": "证照草稿",
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="IssuingFeed",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("opened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="开通时间")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="停止时间")),
                ("through_xid", core.models.shared.XidField(default=0)),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="颁发机构"
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "归集签发",
            },
        ),
        migrations.CreateModel(
            name="IssuingRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveIntegerField(verbose_name="行号")),
                (
                    "state",
                    models.CharField(
                        choices=[("WAITING", "待校验"), ("GOOD", "校验通过"), ("REFUSED", "未通过"), ("ISSUED", "已签发")],
                        default="WAITING",
                        max_length=10,
                        verbose_name="结果",
                    ),
                ),
                ("content", models.JSONField()),
                ("faults", models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list)),
                ("license_id", models.BigIntegerField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="rows", to="licenses.issuingbatch"
                    ),
                ),
            ],
            options={
                "verbose_name": "批量签发行",
                "ordering": ["batch", "place"],
            },
        ),
        migrations.CreateModel(
            name="LicenseDelivery",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("through_xid", core.models.shared.XidField(default=0)),
                ("delivered", models.BigIntegerField(default=0)),
                ("rejected", models.BigIntegerField(default=0)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "证照入库进度",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="license_delivery_one")],
            },
        ),
        migrations.CreateModel(
            name="SerialCounter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("issuer_code", models.CharField(max_length=18, verbose_name="颁发机构代码")),
                ("last", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "流水号计数",
                "constraints": [models.UniqueConstraint(fields=("type_code", "issuer_code"), name="serial_counter_once")],
            },
        ),
        migrations.AddIndex(
            model_name="issuingbatch",
            index=models.Index(fields=["department", "-id"], name="issuing_batch_of_desk"),
        ),
        migrations.AddIndex(
            model_name="issuingbatch",
            index=models.Index(
                condition=models.Q(("state__in", ("CHECKING", "ISSUING"))), fields=["id"], name="issuing_batch_at_work"
            ),
        ),
        migrations.AddConstraint(
            model_name="issuingbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["CHECKING", "CHECKED", "TO_SIGN", "ISSUING", "DONE", "CANCELLED"])),
                name="issuing_batch_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="issuingbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("decided_by", models.F("made_by")), _negated=True), name="issuing_batch_signed_by_another"
            ),
        ),
        migrations.AddIndex(
            model_name="issuingdraft",
            index=models.Index(fields=["department", "state", "-id"], name="draft_of_desk"),
        ),
        migrations.AddConstraint(
            model_name="issuingdraft",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["DRAFT", "TO_SIGN", "RETURNED", "ISSUED", "WITHDRAWN"])), name="draft_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="issuingdraft",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "NEW"), ("supersedes__isnull", False), _connector="XOR"), name="draft_supersedes_or_new"
            ),
        ),
        migrations.AddConstraint(
            model_name="issuingdraft",
            constraint=models.CheckConstraint(
                condition=models.Q(("decided_by", models.F("made_by")), _negated=True), name="draft_signed_by_another"
            ),
        ),
        migrations.AddConstraint(
            model_name="issuingdraft",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_to", None), ("valid_to__gte", models.F("valid_from")), _connector="OR"),
                name="draft_validity",
            ),
        ),
        migrations.AddConstraint(
            model_name="issuingdraft",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("DRAFT", "TO_SIGN", "RETURNED"))),
                fields=("supersedes",),
                name="draft_one_open_change",
            ),
        ),
        migrations.AddConstraint(
            model_name="issuingfeed",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at", None)), fields=("department", "type_code"), name="issuing_feed_once"
            ),
        ),
        migrations.AddIndex(
            model_name="issuingrow",
            index=models.Index(fields=["batch", "state", "place"], name="issuing_row_by_state"),
        ),
        migrations.AddConstraint(
            model_name="issuingrow",
            constraint=models.UniqueConstraint(fields=("batch", "place"), name="issuing_row_once"),
        ),
        migrations.AddConstraint(
            model_name="issuingrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "ISSUED"), ("license_id", None), _connector="XOR"),
                name="issuing_row_issued_has_license",
            ),
        ),
        migrations.RunPython(load_repeatable, migrations.RunPython.noop, elidable=False),
    ]
