"""Copies of licenses made for a purpose."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [("licenses", "0003_issuing")]

    operations = [
        migrations.CreateModel(
            name="LicenseCopy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True)),
                ("purpose", models.CharField(max_length=100, verbose_name="用途")),
                ("receiver", models.CharField(max_length=100, verbose_name="接收方")),
                ("sha256", models.BinaryField(max_length=32)),
                ("size", models.PositiveIntegerField(verbose_name="字节数")),
                (
                    "made_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="制作时间"),
                ),
                ("expires_at", models.DateTimeField(verbose_name="有效至")),
                ("downloads", models.PositiveIntegerField(default=0, verbose_name="下载次数")),
                ("downloaded_at", models.DateTimeField(null=True, verbose_name="最近下载")),
                (
                    "asked_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申请人",
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="core.department",
                        verbose_name="申请部门",
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licenses.sealkey"
                    ),
                ),
                (
                    "license",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="copies", to="licenses.license"),
                ),
            ],
            options={
                "verbose_name": "加注件",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["sha256"], name="license_copy_digest")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("expires_at__gt", models.F("made_at"))), name="license_copy_ends")
                ],
            },
        ),
    ]
