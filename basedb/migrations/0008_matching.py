"""Candidates of matching, the old identifier a source's rows are keyed by, and the way to what is held apart."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("basedb", "0007_licenses"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MatchCandidate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("dataset", models.CharField(max_length=60, verbose_name="数据集")),
                ("chain", models.BigIntegerField()),
                ("record_id", models.BigIntegerField()),
                ("entity_key", models.BinaryField(max_length=16)),
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
                ("why", models.JSONField(default=list)),
                ("model_version", models.CharField(max_length=20, verbose_name="模型版本")),
                ("basis", models.BinaryField(max_length=16)),
                (
                    "state",
                    models.CharField(
                        choices=[("OPEN", "待判定"), ("ACCEPTED", "已关联"), ("REFUSED", "已拒绝"), ("SUPERSEDED", "已失效")],
                        default="OPEN",
                        max_length=10,
                        verbose_name="状态",
                    ),
                ),
                ("found_at", models.DateTimeField(verbose_name="发现时间")),
                ("decided_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="理由")),
                ("applied_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "匹配候选",
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="datasource",
            name="row_key_kind",
            field=models.CharField(blank=True, db_default="", default="", max_length=10, verbose_name="行键所用旧标识"),
        ),
        migrations.AddIndex(
            model_name="crosswalk",
            index=models.Index(
                condition=models.Q(("linked__upper_inf", True), ("tier", "HELD")),
                fields=["dataset", "chain"],
                name="crosswalk_held",
            ),
        ),
        migrations.AddField(
            model_name="matchcandidate",
            name="decided_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="判定人",
            ),
        ),
        migrations.AddField(
            model_name="matchcandidate",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="basedb.datasource", verbose_name="数源"
            ),
        ),
        migrations.AddIndex(
            model_name="matchcandidate",
            index=models.Index(fields=["source", "state", "id"], name="match_candidate_source"),
        ),
        migrations.AddIndex(
            model_name="matchcandidate",
            index=models.Index(fields=["chain"], name="match_candidate_chain"),
        ),
        migrations.AddIndex(
            model_name="matchcandidate",
            index=models.Index(
                condition=models.Q(("applied_at__isnull", True), ("state__in", ["ACCEPTED", "REFUSED"])),
                fields=["id"],
                name="match_candidate_due",
            ),
        ),
        migrations.AddConstraint(
            model_name="matchcandidate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "OPEN")), fields=("chain", "entity_key"), name="match_candidate_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="matchcandidate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "ACCEPTED")), fields=("chain",), name="match_candidate_one_entity"
            ),
        ),
        migrations.AddConstraint(
            model_name="matchcandidate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("tier__in", ["LEGACY", "PROBABLE"]), models.Q(("tier", "LEGACY"), ("score__isnull", False), _connector="OR")
                ),
                name="match_candidate_has_score",
            ),
        ),
        migrations.AddConstraint(
            model_name="matchcandidate",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("state", "REFUSED"), _negated=True), ("decided_by__isnull", False), _connector="OR"),
                name="match_candidate_refused_by_somebody",
            ),
        ),
    ]
