"""Baskets and bundles, copies and renewals, remarks, attachments, reminders of a grant's end."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared
from core.append_only import guard

MODES = [("VERIFY", "比对验证"), ("QUERY", "检索查询"), ("BULK", "批量复制"), ("SUBSCRIBE", "变更订阅")]
PROTECT = django.db.models.deletion.PROTECT
CASCADE = django.db.models.deletion.CASCADE


def key() -> tuple[str, models.Field]:
    """Return the usual primary key."""
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def uid() -> tuple[str, models.Field]:
    """Return the usual public id."""
    return ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True))


def user(**more: object) -> models.Field:
    """Return a reference to a user that keeps the user."""
    return models.ForeignKey(on_delete=PROTECT, related_name="+", to=settings.AUTH_USER_MODEL, **more)


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0002_changes_of_published_entries"),
        ("core", "0005_audit_xid"),
        ("exchange", "0010_clocks_returns_and_desks"),
    ]
    operations = [
        migrations.CreateModel(
            name="BasketEntry",
            fields=[
                key(),
                uid(),
                ("mode", models.CharField(blank=True, choices=MODES, default="", max_length=10, verbose_name="共享方式")),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), blank=True, default=list, size=None, verbose_name="信息项"
                    ),
                ),
                ("added_at", models.DateTimeField(verbose_name="加入时间")),
                (
                    "resource",
                    models.ForeignKey(on_delete=CASCADE, related_name="+", to="catalog.resource", verbose_name="信息资源"),
                ),
                ("user", models.ForeignKey(on_delete=CASCADE, related_name="basket", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name": "资源篮条目",
                "ordering": ["id"],
                "constraints": [models.UniqueConstraint(fields=("user", "resource"), name="basket_entry_once")],
            },
        ),
        migrations.CreateModel(
            name="RequestBundle",
            fields=[
                key(),
                uid(),
                ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
                ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="一揽子申请编号")),
                ("purpose", models.CharField(max_length=200, verbose_name="使用目的")),
                ("submitted_at", models.DateTimeField(verbose_name="提交时间")),
                ("created_by", user()),
                (
                    "requester",
                    models.ForeignKey(on_delete=PROTECT, related_name="bundles", to="core.department", verbose_name="申请方"),
                ),
            ],
            options={"verbose_name": "一揽子申请", "ordering": ["-id"]},
        ),
        migrations.AddField(
            "accessrequest",
            "bundle",
            models.ForeignKey(blank=True, null=True, on_delete=PROTECT, related_name="parts", to="exchange.requestbundle"),
        ),
        migrations.AddField(
            "accessrequest",
            "copied_from",
            models.ForeignKey(blank=True, null=True, on_delete=PROTECT, related_name="copies", to="exchange.accessrequest"),
        ),
        migrations.AddField(
            "accessrequest",
            "renews",
            models.ForeignKey(blank=True, null=True, on_delete=PROTECT, related_name="renewals", to="exchange.grant"),
        ),
        migrations.AddConstraint(
            "accessrequest",
            models.UniqueConstraint(
                condition=~models.Q(state__in=["REFUSED", "WITHDRAWN", "CLOSED"]), fields=("renews",), name="renewal_once"
            ),
        ),
        migrations.AddField(
            "grant",
            "renewed_by",
            models.OneToOneField(blank=True, null=True, on_delete=PROTECT, related_name="renewed", to="exchange.grant"),
        ),
        migrations.CreateModel(
            name="GrantEndReminder",
            fields=[
                key(),
                ("days", models.PositiveSmallIntegerField(verbose_name="提前天数")),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("grant", models.ForeignKey(on_delete=PROTECT, related_name="end_reminders", to="exchange.grant")),
            ],
            options={
                "verbose_name": "到期提醒",
                "constraints": [models.UniqueConstraint(fields=("grant", "days"), name="grant_end_reminder_once")],
            },
        ),
        migrations.CreateModel(
            name="Remark",
            fields=[
                key(),
                uid(),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("author_name", models.CharField(max_length=60, verbose_name="备注人")),
                ("author_department", models.CharField(max_length=100, verbose_name="部门")),
                ("is_private", models.BooleanField(verbose_name="仅审核方可见")),
                ("text", models.CharField(max_length=1000, verbose_name="备注")),
                ("access_request", models.ForeignKey(on_delete=PROTECT, related_name="remarks", to="exchange.accessrequest")),
                ("author", user()),
            ],
            options={"verbose_name": "备注", "ordering": ["id"]},
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                key(),
                uid(),
                ("name", models.CharField(max_length=120, verbose_name="文件名")),
                ("kind", models.CharField(max_length=8, verbose_name="类型")),
                ("size", models.PositiveIntegerField(verbose_name="大小")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("place", models.CharField(max_length=64, unique=True)),
                ("uploaded_by_name", models.CharField(max_length=60, verbose_name="上传人")),
                ("uploaded_at", models.DateTimeField(verbose_name="上传时间")),
                ("redacted_at", models.DateTimeField(blank=True, null=True, verbose_name="删除内容时间")),
                (
                    "redaction_reason",
                    models.CharField(blank=True, default="", max_length=500, verbose_name="删除内容的原因"),
                ),
                (
                    "access_request",
                    models.ForeignKey(on_delete=PROTECT, related_name="attachments", to="exchange.accessrequest"),
                ),
                ("redacted_by", user(blank=True, null=True)),
                (
                    "remark",
                    models.ForeignKey(null=True, on_delete=PROTECT, related_name="attachments", to="exchange.remark"),
                ),
                ("uploaded_by", user()),
            ],
            options={
                "verbose_name": "附件",
                "ordering": ["id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(size__gt=0), name="attachment_not_empty"),
                    models.CheckConstraint(
                        condition=models.Q(redacted_at=None) | ~models.Q(redaction_reason=""), name="redaction_has_reason"
                    ),
                ],
            },
        ),
        migrations.RunSQL(*guard("exchange_remark")),
        migrations.RunSQL(*guard("exchange_grantendreminder")),
    ]
