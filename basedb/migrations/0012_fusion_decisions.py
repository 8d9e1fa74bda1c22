"""What people decide about fusion is proposed by one and confirmed by another; records are found by their chain."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import core.ids

KINDS = [
    ("MERGE", "合并主体"),
    ("UNMERGE", "撤销合并"),
    ("HOLD", "记录暂不归并"),
    ("RELEASE", "解除暂不归并"),
    ("RECOMPUTE", "重新取值"),
    ("REBUILD", "按新规则重建"),
]
STATES = [("PROPOSED", "待复核"), ("CONFIRMED", "已确认，待执行"), ("REFUSED", "已退回"), ("APPLIED", "已执行")]


class Migration(migrations.Migration):
    dependencies = [("basedb", "0011_pipeline"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.AddIndex(
            model_name="sourcerecord",
            index=models.Index(fields=["chain"], name="source_record_chain"),
        ),
        migrations.CreateModel(
            name="FusionDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("kind", models.CharField(choices=KINDS, max_length=10, verbose_name="事项")),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("entity_key", models.BinaryField(max_length=16, null=True)),
                ("other_key", models.BinaryField(max_length=16, null=True)),
                ("chain", models.BigIntegerField(null=True)),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="理由")),
                ("state", models.CharField(choices=STATES, default="PROPOSED", max_length=10, verbose_name="状态")),
                ("proposed_at", models.DateTimeField(verbose_name="提出时间")),
                ("decided_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField()),
                ("applied_at", models.DateTimeField(null=True)),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="提出人",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="复核人",
                    ),
                ),
            ],
            options={
                "verbose_name": "融合决定",
                "ordering": ["id"],
                "indexes": [models.Index(condition=Q(state="CONFIRMED"), fields=["due_at", "id"], name="fusion_decision_due")],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")), name="fusion_decision_by_two_people"
                    ),
                    models.CheckConstraint(
                        condition=Q(kind__in=["RECOMPUTE", "REBUILD"]) | Q(state__in=["PROPOSED"]) | Q(decided_by__isnull=False),
                        name="fusion_decision_is_confirmed",
                    ),
                    models.CheckConstraint(
                        condition=~Q(kind__in=["MERGE", "UNMERGE"]) | (Q(other_key__isnull=False) & ~Q(other_key=F("entity_key"))),
                        name="fusion_decision_names_two",
                    ),
                ],
            },
        ),
    ]
