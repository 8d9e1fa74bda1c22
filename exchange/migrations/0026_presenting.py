"""Uses of licenses are sealed in a chain of their own; systems trusted to let holders in."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared

CHAINS = [("CALLS", "调用记录"), ("AUDIT", "审计记录"), ("USES", "用证记录")]


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0025_facts"),
        ("licenses", "0006_presenting"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        *(
            migrations.AlterField(model, "chain", models.CharField(choices=CHAINS, max_length=10, verbose_name="链"))
            for model in ("archive", "seal")
        ),
        migrations.CreateModel(
            name="IdentityApplication",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("assurance_at_most", models.PositiveSmallIntegerField(verbose_name="最高核验等级")),
                ("basis", models.CharField(max_length=200, verbose_name="依据")),
                ("ended_at", models.DateTimeField(null=True, verbose_name="停用时间")),
                (
                    "registered_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "system",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_application",
                        to="exchange.consumersystem",
                        verbose_name="系统",
                    ),
                ),
            ],
            options={
                "verbose_name": "可信身份应用",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("assurance_at_most__gte", 1), ("assurance_at_most__lte", 3)),
                        name="identity_assurance",
                    )
                ],
            },
        ),
    ]
