import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids

DESKS = [
    ("REQUESTER_OPERATOR", "申请方经办人"),
    ("REQUESTER_HEAD", "申请方负责人"),
    ("PROVIDER_OPERATOR", "提供方经办人"),
    ("PROVIDER_HEAD", "提供方负责人"),
    ("DATA_CENTRE", "数据中心"),
    ("NOBODY", "已办结"),
]
ROLES = [("OPERATOR", "部门经办人"), ("HEAD", "部门负责人"), ("REVIEWER", "数据中心审核员")]
OUTCOMES = [("PENDING", "未办理"), ("DONE", "已办理"), ("DECLINED", "不能办理")]


def kept(to, title=None, **more):
    """A reference to a row that stays as long as it is pointed at."""
    named = {"verbose_name": title} if title else {}
    return models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to=to, **named, **more)


def owned():
    """A reference to the user a row goes away with."""
    return models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)


def key():
    return ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def uid():
    return ("uid", models.UUIDField(default=core.ids.uuid7, editable=False, unique=True))


DESK_WORK = [
    migrations.AddField("accessrequeststep", "on_behalf_of", kept(settings.AUTH_USER_MODEL, null=True)),
    migrations.CreateModel(
        "Claim",
        [
            key(),
            ("desk", models.CharField(choices=DESKS, max_length=20, verbose_name="岗位")),
            ("claimed_at", models.DateTimeField(verbose_name="认领时间")),
            ("released_at", models.DateTimeField(null=True)),
            (
                "access_request",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="claims", to="exchange.accessrequest"),
            ),
            ("assigned_by", kept(settings.AUTH_USER_MODEL, "转办人", null=True)),
            ("claimed_by", kept(settings.AUTH_USER_MODEL, "认领人")),
        ],
        {
            "verbose_name": "认领",
            "constraints": [
                models.UniqueConstraint(condition=models.Q(released_at=None), fields=["access_request"], name="one_open_claim")
            ],
        },
    ),
    migrations.CreateModel(
        "Delegation",
        [
            key(),
            uid(),
            ("role", models.CharField(choices=ROLES, max_length=30, verbose_name="角色")),
            ("valid_from", models.DateTimeField(verbose_name="委托期限自")),
            ("valid_to", models.DateTimeField(verbose_name="委托期限至")),
            ("created_at", models.DateTimeField()),
            ("revoked_at", models.DateTimeField(null=True)),
            ("delegate", kept(settings.AUTH_USER_MODEL, "受托人")),
            ("department", kept("core.department", "部门")),
            ("giver", kept(settings.AUTH_USER_MODEL, "委托人")),
        ],
        {
            "verbose_name": "外出委托",
            "indexes": [models.Index(fields=["delegate", "valid_to"], name="delegation_delegate")],
            "constraints": [
                models.CheckConstraint(condition=models.Q(role__in=["OPERATOR", "HEAD", "REVIEWER"]), name="delegation_role"),
                models.CheckConstraint(condition=~models.Q(giver=models.F("delegate")), name="delegation_to_another"),
                models.CheckConstraint(condition=models.Q(valid_to__gt=models.F("valid_from")), name="delegation_period"),
                django.contrib.postgres.constraints.ExclusionConstraint(
                    condition=models.Q(revoked_at=None),
                    expressions=[
                        ("giver", "="),
                        ("role", "="),
                        (
                            models.Func(
                                "valid_from",
                                "valid_to",
                                function="tstzrange",
                                output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField(),
                            ),
                            "&&",
                        ),
                    ],
                    name="delegation_once_at_a_time",
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "SavedFilter",
        [
            key(),
            uid(),
            ("page", models.CharField(max_length=20)),
            ("name", models.CharField(max_length=30, verbose_name="名称")),
            ("query", models.CharField(max_length=1000)),
            ("is_default", models.BooleanField(default=False)),
            ("user", owned()),
        ],
        {
            "verbose_name": "常用筛选",
            "constraints": [
                models.UniqueConstraint(fields=["user", "page", "name"], name="saved_filter_name"),
                models.UniqueConstraint(condition=models.Q(is_default=True), fields=["user", "page"], name="saved_filter_default"),
            ],
        },
    ),
    migrations.CreateModel(
        "BulkDecision",
        [
            key(),
            uid(),
            ("token", models.CharField(max_length=64)),
            ("reason", models.CharField(blank=True, max_length=500, verbose_name="意见")),
            ("at", models.DateTimeField(verbose_name="时间")),
            ("decided_by", kept(settings.AUTH_USER_MODEL)),
        ],
        {
            "verbose_name": "批量办理",
            "constraints": [models.UniqueConstraint(fields=["decided_by", "token"], name="bulk_decision_once")],
        },
    ),
    migrations.CreateModel(
        "BulkLine",
        [
            key(),
            ("revision", models.PositiveIntegerField()),
            ("outcome", models.CharField(choices=OUTCOMES, default="PENDING", max_length=8, verbose_name="结果")),
            ("code", models.CharField(blank=True, max_length=60)),
            ("message", models.CharField(blank=True, max_length=500, verbose_name="说明")),
            ("access_request", kept("exchange.accessrequest")),
            (
                "bulk",
                models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="lines", to="exchange.bulkdecision"),
            ),
        ],
        {"constraints": [models.UniqueConstraint(fields=["bulk", "access_request"], name="bulk_line_once")]},
    ),
    migrations.CreateModel(
        "DailyDigest",
        [key(), ("on", models.DateField()), ("user", owned())],
        {"constraints": [models.UniqueConstraint(fields=["user", "on"], name="digest_once_a_day")]},
    ),
]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0009_call_record_op_monitoring"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [*DESK_WORK]
