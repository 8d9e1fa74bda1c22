"""Source records get their source, chain and two ranges; crosswalks, rules of survivorship and conflicts.

Records from before are given one source a dataset and department; their versions follow each other as they were received.
"""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids

FILL = """
INSERT INTO basedb_datasource (code, title, dataset, department_id, collector, is_lead, is_keyless)
SELECT dataset || '.' || source_department_id, d.name, dataset, source_department_id,
    CASE WHEN dataset LIKE 'population.%' THEN 'PUBLIC_SECURITY' ELSE 'MARKET_REGULATION' END, true, false
FROM (SELECT DISTINCT dataset, source_department_id FROM basedb_sourcerecord) r
JOIN core_department d ON d.id = r.source_department_id;
UPDATE basedb_sourcerecord t SET source_id = n.source_id, source_key = n.source_key, chain = n.chain, row_hash = '',
    valid = tstzrange(n.received_at, NULL), known = tstzrange(n.received_at, n.until)
FROM (
    SELECT r.id, r.received_at, s.id AS source_id,
        CASE WHEN r.source_key = '' THEN 'subject:' || encode(r.subject_key, 'hex') ELSE r.source_key END AS source_key,
        first_value(r.id) OVER versions AS chain, lead(r.received_at) OVER versions AS until
    FROM basedb_sourcerecord r
    JOIN basedb_datasource s ON s.dataset = r.dataset AND s.department_id = r.source_department_id
    WINDOW versions AS (PARTITION BY r.dataset, r.source_department_id,
        CASE WHEN r.source_key = '' THEN encode(r.subject_key, 'hex') ELSE r.source_key END ORDER BY r.id)
) n WHERE n.id = t.id;
INSERT INTO basedb_crosswalk (chain, dataset, entity_key, tier, rule_version, reason, linked)
SELECT r.chain, s.dataset, r.subject_key, 'EXACT', '', '', tstzrange(min(r.received_at), NULL)
FROM basedb_sourcerecord r JOIN basedb_datasource s ON s.id = r.source_id GROUP BY r.chain, s.dataset, r.subject_key;
SET CONSTRAINTS ALL IMMEDIATE
"""
GUARD = """
CREATE FUNCTION basedb_only_known_closes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND upper_inf(OLD.known) AND NOT upper_inf(NEW.known) AND lower(NEW.known) = lower(OLD.known)
    AND (NEW.id, NEW.source_id, NEW.source_key, NEW.chain, NEW.run_id, NEW.row_hash, NEW.subject_key, NEW.payload, NEW.valid,
      NEW.received_at) IS NOT DISTINCT FROM (OLD.id, OLD.source_id, OLD.source_key, OLD.chain, OLD.run_id, OLD.row_hash,
      OLD.subject_key, OLD.payload, OLD.valid, OLD.received_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'source records are kept as they came: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER only_known_closes BEFORE UPDATE OR DELETE ON basedb_sourcerecord
FOR EACH ROW EXECUTE FUNCTION basedb_only_known_closes()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("basedb", "0001_initial"),
        ("core", "0005_audit_xid"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DataSource",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                ("code", models.CharField(max_length=60, unique=True, verbose_name="数源代码")),
                ("title", models.CharField(max_length=100, verbose_name="数源名称")),
                ("dataset", models.CharField(max_length=60, verbose_name="目标数据集")),
                ("collector", models.CharField(max_length=30, verbose_name="采集责任")),
                ("is_lead", models.BooleanField(default=True, verbose_name="主数源")),
                ("is_keyless", models.BooleanField(default=False, verbose_name="可缺标识")),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="数源部门"
                    ),
                ),
            ],
            options={
                "verbose_name": "数源",
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="sourcerecord",
            name="chain",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="sourcerecord",
            name="known",
            field=django.contrib.postgres.fields.ranges.DateTimeRangeField(null=True),
        ),
        migrations.AddField(
            model_name="sourcerecord",
            name="row_hash",
            field=models.BinaryField(null=True, max_length=16),
        ),
        migrations.AddField(
            model_name="sourcerecord",
            name="valid",
            field=django.contrib.postgres.fields.ranges.DateTimeRangeField(null=True),
        ),
        migrations.AddField(
            model_name="sourcerecord",
            name="source",
            field=models.ForeignKey(
                null=True, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="basedb.datasource"
            ),
        ),
        migrations.CreateModel(
            name="Crosswalk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("chain", models.BigIntegerField()),
                ("dataset", models.CharField(max_length=60)),
                ("entity_key", models.BinaryField(max_length=16, null=True)),
                (
                    "tier",
                    models.CharField(
                        choices=[
                            ("EXACT", "标识一致且姓名相符"),
                            ("LEGACY", "旧标识换算"),
                            ("PROBABLE", "概率匹配"),
                            ("MANUAL", "人工判定"),
                            ("HELD", "暂不归并"),
                        ],
                        max_length=8,
                        verbose_name="匹配方式",
                    ),
                ),
                ("score", models.DecimalField(decimal_places=4, max_digits=5, null=True, verbose_name="匹配分")),
                ("rule_version", models.CharField(max_length=20, verbose_name="规则版本")),
                ("reason", models.CharField(blank=True, db_default="", max_length=200, verbose_name="依据")),
                ("linked", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "主体对照",
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="sourcerecord",
            name="chain",
            field=models.BigIntegerField(),
        ),
        migrations.AlterField(
            model_name="sourcerecord",
            name="known",
            field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
        ),
        migrations.AlterField(
            model_name="sourcerecord",
            name="row_hash",
            field=models.BinaryField(max_length=16),
        ),
        migrations.AlterField(
            model_name="sourcerecord",
            name="valid",
            field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
        ),
        migrations.AlterField(
            model_name="sourcerecord",
            name="source",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="basedb.datasource"
            ),
        ),
        migrations.RemoveField(
            model_name="sourcerecord",
            name="dataset",
        ),
        migrations.RemoveField(
            model_name="sourcerecord",
            name="source_department",
        ),
        migrations.CreateModel(
            name="FusionConflict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "uid",
                    models.UUIDField(
                        db_default=models.Func(function="gen_random_uuid"), default=core.ids.uuid7, editable=False, unique=True
                    ),
                ),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("entity_key", models.BinaryField(max_length=16)),
                (
                    "kind",
                    models.CharField(
                        choices=[("VALUE", "取值不一致"), ("IDENTITY", "同一标识姓名不符")], max_length=10, verbose_name="类别"
                    ),
                ),
                ("field", models.CharField(blank=True, max_length=60, verbose_name="字段")),
                ("records", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "待核实"), ("ANSWERED", "已答复，待来源更正"), ("RESOLVED", "已解决")],
                        db_default="OPEN",
                        default="OPEN",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("opened_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="发现时间")),
                ("due_at", models.DateTimeField(null=True, verbose_name="办理期限")),
                ("answered_at", models.DateTimeField(null=True)),
                ("answer", models.CharField(blank=True, db_default="", max_length=500, verbose_name="答复")),
                ("resolved_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "校核单",
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="legalentity",
            name="doubtful",
            field=models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="withdrawn_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="person",
            name="doubtful",
            field=models.JSONField(db_default=models.Value([], output_field=models.JSONField()), default=list),
        ),
        migrations.AddField(
            model_name="person",
            name="withdrawn_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="legalentity",
            name="source_department",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
            ),
        ),
        migrations.AlterField(
            model_name="person",
            name="source_department",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department"
            ),
        ),
        migrations.AlterField(
            model_name="sourcerecord",
            name="subject_key",
            field=models.BinaryField(max_length=16, null=True),
        ),
        migrations.CreateModel(
            name="AuthorityRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("field", models.CharField(max_length=60, verbose_name="字段")),
                ("group", models.CharField(blank=True, max_length=60, verbose_name="同组字段")),
                (
                    "collectors",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30), size=None, verbose_name="数源顺序"
                    ),
                ),
                (
                    "strategy",
                    models.CharField(
                        choices=[("AUTHORITY", "按数源责任"), ("NEWEST", "取生效时间最新"), ("MAJORITY", "取多数一致")],
                        default="AUTHORITY",
                        max_length=10,
                        verbose_name="取值方式",
                    ),
                ),
                ("max_age_days", models.PositiveIntegerField(blank=True, null=True, verbose_name="最长有效天数")),
                ("legal_basis", models.CharField(max_length=200, verbose_name="依据")),
                ("effective", django.contrib.postgres.fields.ranges.DateTimeRangeField(verbose_name="生效期")),
            ],
            options={
                "verbose_name": "数源责任规则",
                "ordering": ["dataset", "field", "id"],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("dataset", "="), ("field", "="), ("effective", "&&")], name="authority_rule_one_at_a_time"
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="fusionconflict",
            name="answered_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="fusionconflict",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.department", verbose_name="核实部门"
            ),
        ),
        migrations.AddIndex(
            model_name="crosswalk",
            index=models.Index(condition=models.Q(("entity_key__isnull", False)), fields=["entity_key"], name="crosswalk_entity"),
        ),
        migrations.AddConstraint(
            model_name="crosswalk",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[("chain", "="), ("linked", "&&")], name="crosswalk_one_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="crosswalk",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entity_key__isnull", True), ("tier", "HELD")),
                    models.Q(("entity_key__isnull", False), models.Q(("tier", "HELD"), _negated=True)),
                    _connector="OR",
                ),
                name="crosswalk_held_has_no_entity",
            ),
        ),
        migrations.AddIndex(
            model_name="fusionconflict",
            index=models.Index(fields=["owner", "state", "id"], name="fusion_conflict_owner"),
        ),
        migrations.AddIndex(
            model_name="fusionconflict",
            index=models.Index(fields=["entity_key"], name="fusion_conflict_entity"),
        ),
        migrations.AddConstraint(
            model_name="fusionconflict",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "RESOLVED"), _negated=True),
                fields=("dataset", "entity_key", "kind", "field"),
                name="fusion_conflict_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="fusionconflict",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "IDENTITY"), models.Q(("field", ""), _negated=True), _connector="OR"),
                name="fusion_conflict_names_its_field",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcerecord",
            constraint=models.UniqueConstraint(
                condition=models.Q(("known__upper_inf", True), ("valid__upper_inf", True)),
                fields=("source", "source_key"),
                name="source_record_current",
            ),
        ),
        migrations.AddConstraint(
            model_name="sourcerecord",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("known__upper_inf", True)),
                expressions=[("chain", "="), ("valid", "&&")],
                name="source_record_periods",
            ),
        ),
        migrations.RunSQL(GUARD, "DROP TRIGGER only_known_closes ON basedb_sourcerecord; DROP FUNCTION basedb_only_known_closes()"),
    ]
