"""Further offices that issue a type; whether a holder may hold several of a type becomes part of the type."""

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared

REPEATABLE = """
UPDATE licenses_typeversion v SET is_repeatable = true FROM licenses_repeatabletype r WHERE r.type_code = v.code
"""
# Who issued a type here and no longer keeps it did so while keeping it: until now nobody else could.
FORMER_KEEPERS = """
INSERT INTO licenses_typeoffice (uid, origin_node, origin_id, revision, created_at, updated_at, type_code, department_id, basis,
    is_former_keeper, effective, confirmed_at, ended_at, end_reason)
SELECT gen_random_uuid(), %s, '', 1, now(), now(), l.type_code, l.issuer_id, '',
    true, daterange(min(l.issued_on), max(l.issued_on), '[]'), now(), now(), ''
FROM licenses_license l JOIN licenses_typeversion v ON v.id = l.type_version_id AND v.department_id <> l.issuer_id
GROUP BY l.type_code, l.issuer_id
"""


class Migration(migrations.Migration):
    dependencies = [("licenses", "0009_uses"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AddField(
            model_name="typeversion",
            name="is_repeatable",
            field=models.BooleanField(default=False, verbose_name="同一主体可持有多份"),
        ),
        migrations.RunSQL(REPEATABLE, migrations.RunSQL.noop),
        migrations.DeleteModel(name="RepeatableType"),
        migrations.CreateModel(
            name="TypeOffice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("basis", models.CharField(max_length=300, verbose_name="依据")),
                ("is_former_keeper", models.BooleanField(default=False)),
                ("effective", django.contrib.postgres.fields.ranges.DateRangeField(null=True, verbose_name="签发期")),
                ("confirmed_at", models.DateTimeField(null=True, verbose_name="确认时间")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="终止时间")),
                ("end_reason", models.CharField(blank=True, default="", max_length=500, verbose_name="终止原因")),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.department",
                        verbose_name="签发机构",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "签发机构",
                "ordering": ["type_code", "id"],
                "indexes": [models.Index(fields=["type_code", "department"], name="type_office_of_type")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("type_code", "department"), name="type_office_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("confirmed_at", None),
                            models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="type_office_confirmed_by_another",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None), ("effective", None), ("effective__upper_inf", False), _connector="OR"
                        ),
                        name="type_office_end_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at__isnull", False), ("effective", None), ("effective__upper_inf", True), _connector="OR"
                        ),
                        name="type_office_open_undated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at", None), ("effective", None)),
                            models.Q(("confirmed_at__isnull", False), ("effective__isnull", False)),
                            _connector="OR",
                        ),
                        name="type_office_effective_confirmed",
                    ),
                ],
            },
        ),
        migrations.RunSQL([(FORMER_KEEPERS, [core.models.shared.this_node()])], migrations.RunSQL.noop),
    ]
