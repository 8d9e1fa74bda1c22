import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared


class Migration(migrations.Migration):
    dependencies = [("licenses", "0001_initial"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.AddField(
            model_name="typeversion",
            name="revised_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="typeversion",
            name="submitted_at",
            field=models.DateTimeField(null=True, verbose_name="送审时间"),
        ),
        migrations.CreateModel(
            name="TypeUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("type_code", models.CharField(max_length=21, verbose_name="证照类型代码")),
                ("matter", models.CharField(max_length=200, verbose_name="事项")),
                ("purpose", models.CharField(max_length=200, verbose_name="用途")),
                (
                    "items",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), size=None, verbose_name="可用的照面项目"
                    ),
                ),
                ("basis", models.CharField(max_length=300, verbose_name="依据")),
                ("effective", django.contrib.postgres.fields.ranges.DateRangeField(null=True, verbose_name="施行期")),
                ("published_at", models.DateTimeField(null=True, verbose_name="发布时间")),
                (
                    "created_by",
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
                        verbose_name="发布部门",
                    ),
                ),
                (
                    "published_by",
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
                "verbose_name": "用证清单条目",
                "ordering": ["type_code", "matter", "id"],
                "indexes": [models.Index(fields=["type_code", "matter"], name="type_use_of_matter")],
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        condition=models.Q(("effective__isnull", False)),
                        expressions=[("type_code", "="), ("matter", "="), ("purpose", "="), ("effective", "&&")],
                        name="type_use_one_in_force",
                    ),
                    models.CheckConstraint(condition=models.Q(("items__len__gt", 0)), name="type_use_some_item"),
                ],
            },
        ),
    ]
