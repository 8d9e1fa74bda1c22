"""Tables of what is known of legal entities beside their own row; a trigger refuses a circle of successors."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.models.shared

NO_CIRCLE = """
CREATE FUNCTION basedb_no_circle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    WITH RECURSIVE line (first, key) AS (
      SELECT subject_key, successor_key FROM new_rows WHERE withdrawn_at IS NULL
      UNION
      SELECT l.first, s.successor_key FROM line l JOIN basedb_entitysuccession s ON s.subject_key = l.key
      WHERE s.withdrawn_at IS NULL
    )
    SELECT FROM line WHERE key = first
  ) THEN
    RAISE EXCEPTION 'successors must not lead back to where they began' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER no_circle_added AFTER INSERT ON basedb_entitysuccession REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION basedb_no_circle();
CREATE TRIGGER no_circle_changed AFTER UPDATE ON basedb_entitysuccession REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION basedb_no_circle()
"""
CIRCLES_AGAIN = """
DROP TRIGGER no_circle_added ON basedb_entitysuccession;
DROP TRIGGER no_circle_changed ON basedb_entitysuccession;
DROP FUNCTION basedb_no_circle()
"""


class Migration(migrations.Migration):
    dependencies = [("basedb", "0003_population"), ("core", "0005_audit_xid")]

    operations = [
        migrations.CreateModel(
            name="EntityVerification",
            fields=[
                ("subject_key", models.BinaryField(max_length=16, primary_key=True, serialize=False)),
                (
                    "corroboration",
                    models.CharField(
                        choices=[("FULLY", "充分佐证"), ("PARTIALLY", "部分佐证"), ("REGISTRAR_ONLY", "仅登记机关数据")],
                        max_length=14,
                        verbose_name="佐证程度",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("CONFORMING", "校验通过"), ("QUESTIONED", "存在疑点")], max_length=10, verbose_name="校验状态"
                    ),
                ),
                (
                    "validated_by",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), size=None, verbose_name="佐证来源"
                    ),
                ),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None, verbose_name="疑点"
                    ),
                ),
                ("checked_on", models.DateField(verbose_name="校验日期")),
            ],
            options={
                "verbose_name": "法人数据校验状态",
                "indexes": [models.Index(condition=models.Q(("state", "QUESTIONED")), fields=["state"], name="entity_questioned")],
            },
        ),
        migrations.CreateModel(
            name="EntityAnnualReport",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("report_year", models.CharField(max_length=4, verbose_name="年报年度")),
                ("report_state", models.CharField(max_length=1, verbose_name="年报状态")),
                ("submitted_on", models.DateField(null=True, verbose_name="报送日期")),
                ("employee_count", models.PositiveIntegerField(null=True, verbose_name="从业人数")),
                ("assets", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="资产总额(万元)")),
                ("revenue", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="营业总收入(万元)")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人年报信息",
                "indexes": [models.Index(fields=["subject_key"], name="entity_annualreport_subject")],
            },
        ),
        migrations.CreateModel(
            name="EntityBranch",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("parent_key", models.BinaryField(max_length=16, verbose_name="上级法人")),
                ("branch_kind", models.CharField(max_length=1, verbose_name="分支机构类别")),
                ("opened_on", models.DateField(null=True, verbose_name="设立日期")),
                ("closed_on", models.DateField(null=True, verbose_name="撤销日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人分支机构信息",
                "indexes": [
                    models.Index(fields=["subject_key"], name="entity_branch_subject"),
                    models.Index(
                        condition=models.Q(("parent_key__isnull", False)), fields=["parent_key"], name="entity_branch_parent"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EntityChange",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("changed_item", models.CharField(max_length=2, verbose_name="变更事项")),
                ("changed_on", models.DateField(verbose_name="变更日期")),
                ("before", models.TextField(null=True, verbose_name="变更前内容")),
                ("after", models.TextField(null=True, verbose_name="变更后内容")),
                ("authority", models.CharField(max_length=100, null=True, verbose_name="登记机关")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人变更信息",
                "indexes": [models.Index(fields=["subject_key"], name="entity_change_subject")],
            },
        ),
        migrations.CreateModel(
            name="EntityInsuranceRegistration",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("insurance_number", models.CharField(max_length=30, verbose_name="社会保险登记号")),
                ("insurance_state", models.CharField(max_length=1, verbose_name="单位参保状态")),
                ("insured_count", models.PositiveIntegerField(null=True, verbose_name="参保人数")),
                ("registered_on", models.DateField(null=True, verbose_name="参保登记日期")),
                ("ended_on", models.DateField(null=True, verbose_name="注销日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人社会保险登记信息",
                "indexes": [models.Index(fields=["subject_key"], name="entity_insurance_subject")],
            },
        ),
        migrations.CreateModel(
            name="EntityLegacyIdentifier",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("legacy_kind", models.CharField(max_length=1, verbose_name="旧标识类别")),
                ("legacy_number", models.CharField(max_length=30, verbose_name="旧标识号码")),
                ("valid_from", models.DateField(null=True, verbose_name="启用日期")),
                ("valid_to", models.DateField(null=True, verbose_name="停用日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人旧标识对照",
                "indexes": [models.Index(fields=["subject_key"], name="entity_legacy_subject")],
            },
        ),
        migrations.CreateModel(
            name="EntityOfficer",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("person_key", models.BinaryField(max_length=16, verbose_name="人员")),
                ("officer_role", models.CharField(max_length=2, verbose_name="职务")),
                ("appointed_on", models.DateField(null=True, verbose_name="任职日期")),
                ("left_on", models.DateField(null=True, verbose_name="离职日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人主要人员信息",
                "indexes": [
                    models.Index(fields=["subject_key"], name="entity_officer_subject"),
                    models.Index(
                        condition=models.Q(("person_key__isnull", False)), fields=["person_key"], name="entity_officer_person"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EntityQualification",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("qualification_name", models.CharField(max_length=100, verbose_name="资质名称")),
                ("qualification_number", models.CharField(max_length=60, verbose_name="资质证书编号")),
                ("qualification_level", models.CharField(max_length=40, null=True, verbose_name="资质等级")),
                ("authority", models.CharField(max_length=100, null=True, verbose_name="发证机关")),
                ("valid_from", models.DateField(null=True, verbose_name="有效期自")),
                ("valid_to", models.DateField(null=True, verbose_name="有效期至")),
                ("qualification_state", models.CharField(max_length=1, verbose_name="资质状态")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人资质信息",
                "indexes": [models.Index(fields=["subject_key"], name="entity_qualification_subject")],
            },
        ),
        migrations.CreateModel(
            name="EntityShareholder",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("shareholder_kind", models.CharField(max_length=1, verbose_name="出资人类别")),
                ("holder_key", models.BinaryField(max_length=16, verbose_name="出资人")),
                ("share_ratio", models.DecimalField(decimal_places=4, max_digits=7, null=True, verbose_name="出资比例(%)")),
                ("subscribed", models.DecimalField(decimal_places=6, max_digits=18, null=True, verbose_name="认缴出资额(万元)")),
                ("contributed_on", models.DateField(null=True, verbose_name="出资日期")),
                ("left_on", models.DateField(null=True, verbose_name="退出日期")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人出资人信息",
                "indexes": [
                    models.Index(fields=["subject_key"], name="entity_shareholder_subject"),
                    models.Index(
                        condition=models.Q(("holder_key__isnull", False)), fields=["holder_key"], name="entity_shareholder_holder"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EntitySuccession",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("successor_key", models.BinaryField(max_length=16, verbose_name="承继法人")),
                ("succession_kind", models.CharField(max_length=1, verbose_name="承继方式")),
                ("effective_on", models.DateField(verbose_name="生效日期")),
                ("authority", models.CharField(max_length=100, null=True, verbose_name="登记机关")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人合并分立信息",
                "indexes": [
                    models.Index(fields=["subject_key"], name="entity_succession_subject"),
                    models.Index(
                        condition=models.Q(("successor_key__isnull", False)),
                        fields=["successor_key"],
                        name="entity_succession_successor",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="EntityTaxRegistration",
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
                ("uscc", models.CharField(max_length=18, verbose_name="统一社会信用代码")),
                ("tax_number", models.CharField(max_length=20, verbose_name="税务登记号")),
                ("taxpayer_kind", models.CharField(max_length=1, null=True, verbose_name="纳税人类别")),
                ("tax_state", models.CharField(max_length=1, verbose_name="税务登记状态")),
                ("registered_on", models.DateField(null=True, verbose_name="登记日期")),
                ("ended_on", models.DateField(null=True, verbose_name="注销日期")),
                ("authority", models.CharField(max_length=100, null=True, verbose_name="主管税务机关")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "法人税务登记信息",
                "indexes": [models.Index(fields=["subject_key"], name="entity_tax_subject")],
            },
        ),
        migrations.RunSQL(NO_CIRCLE, CIRCLES_AGAIN),
    ]
