"""Tables of electronic licenses; the types of licenses as shipped; the check character of an identifier in SQL."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

import core.ids
import core.models.shared
from basedb.credit.shipped import load_license_types

# ISO 7064 MOD 37,36 over type, issuer, serial, version and check character, the dots between them left out.
IDENTIFIER_OK = """
CREATE FUNCTION basedb_license_identifier_ok(identifier text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  alphabet CONSTANT text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  parts text[] := string_to_array(upper(identifier), '.');
  body text;
  place integer;
  total integer := 18;
BEGIN
  IF cardinality(parts) <> 10 OR left(identifier, 15) <> '1.2.156.3005.2.' THEN
    RETURN false;
  END IF;
  body := array_to_string(parts[6:10], '');
  FOR step IN 1..length(body) LOOP
    place := strpos(alphabet, substr(body, step, 1));
    IF place = 0 THEN
      RETURN false;
    END IF;
    total := ((CASE WHEN total = 0 THEN 36 ELSE total END * 2) % 37 + place - 1) % 36;
  END LOOP;
  RETURN total = 1;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("basedb", "0006_credit")]

    operations = [
        migrations.CreateModel(
            name="LicenseMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row_key", models.BinaryField(max_length=16)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("IDENTIFIER", "证照标识校验位不符"),
                            ("UNKNOWN_TYPE", "证照类型不在目录中"),
                            ("HOLDER_DEAD", "持证人已死亡"),
                            ("HOLDER_CANCELLED", "持证主体已注销"),
                        ],
                        max_length=20,
                        verbose_name="复核事项",
                    ),
                ),
                ("source_department_id", models.BigIntegerField()),
                ("opened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="发现时间")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="消除时间")),
            ],
            options={
                "verbose_name": "证照复核",
                "ordering": ["id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["source_department_id", "kind", "id"],
                        name="license_mark_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)), fields=("row_key", "kind"), name="license_mark_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LicenseReview",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("through_xid", core.models.shared.XidField()),
                ("done_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "证照复核进度",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="license_review_one")],
            },
        ),
        migrations.CreateModel(
            name="LicenseType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("name", models.CharField(max_length=200, verbose_name="证照类型名称")),
                ("version", models.CharField(max_length=20, verbose_name="版本")),
                ("defining_body", models.CharField(max_length=200, verbose_name="定义机构")),
                ("defining_body_code", models.CharField(max_length=18, verbose_name="定义机构代码")),
                ("holder_kind", models.CharField(max_length=20, verbose_name="持证主体类型")),
                ("validity_months", models.PositiveSmallIntegerField(null=True, verbose_name="有效期（月）")),
                ("effective", django.contrib.postgres.fields.ranges.DateRangeField(verbose_name="施行期")),
            ],
            options={
                "verbose_name": "证照类型",
                "ordering": ["code", "effective"],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("code", "="), ("effective", "&&")], name="license_type_one_at_a_time"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("code__regex", "^[0-9A-Z]{18}[0-9]{3}$")), name="license_type_code_form"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="License",
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
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("identifier", models.CharField(max_length=128, null=True, verbose_name="电子证照标识")),
                ("title", models.CharField(max_length=200, verbose_name="证照名称")),
                ("number", models.CharField(max_length=100, verbose_name="证照编号")),
                ("holder_name", models.CharField(max_length=200, verbose_name="持证主体")),
                ("holder_code", models.CharField(max_length=18, verbose_name="持证主体代码")),
                ("holder_code_type", models.CharField(max_length=3, verbose_name="持证主体代码类型")),
                ("issuer", models.CharField(max_length=200, verbose_name="颁发机构")),
                ("issuer_code", models.CharField(max_length=18, null=True, verbose_name="颁发机构代码")),
                ("issued_on", models.DateField(verbose_name="颁发日期")),
                ("valid_from", models.DateField(null=True, verbose_name="有效期起")),
                ("valid_to", models.DateField(null=True, verbose_name="有效期止")),
                ("region_code", models.CharField(max_length=12, verbose_name="管辖属地")),
                ("license_state", models.CharField(max_length=2, verbose_name="证照状态")),
                ("license_version", models.CharField(max_length=3, null=True, verbose_name="版本号")),
                ("face", models.JSONField(null=True, verbose_name="照面数据")),
                (
                    "source_department",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
                    ),
                ),
            ],
            options={
                "verbose_name": "电子证照",
                "indexes": [
                    models.Index(fields=["subject_key"], name="license_subject"),
                    models.Index(fields=["changed_xid", "id"], name="license_changed"),
                ],
            },
        ),
        migrations.RunSQL(IDENTIFIER_OK, "DROP FUNCTION basedb_license_identifier_ok"),
        migrations.RunPython(load_license_types, migrations.RunPython.noop, elidable=False),
    ]
