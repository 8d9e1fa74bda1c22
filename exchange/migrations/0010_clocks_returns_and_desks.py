import json
from pathlib import Path

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.ids
import core.models.shared

DESKS = [
    ("REQUESTER_OPERATOR", "申请方经办人"),
    ("REQUESTER_HEAD", "申请方负责人"),
    ("PROVIDER_OPERATOR", "提供方经办人"),
    ("PROVIDER_HEAD", "提供方负责人"),
    ("DATA_CENTRE", "数据中心"),
    ("PLATFORM", "平台自动办理"),
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


STATES = [
    ("DRAFTED", "草稿"),
    ("SUBMITTED", "待本部门负责人同意"),
    ("ENDORSED", "待提供方经办"),
    ("CHECKED", "待提供方负责人"),
    ("CLEARED", "待数据中心审核"),
    ("RETURNED", "待补正"),
    ("CONFIRMING", "待第二人复核"),
    ("APPROVED", "已授权"),
    ("REFUSED", "已拒绝"),
    ("WITHDRAWN", "已撤回"),
    ("CLOSED", "已办结归档"),
]
STAGES = [
    ("REQUESTER_OPERATOR", "申请方补正"),
    ("REQUESTER_HEAD", "申请方负责人"),
    ("PROVIDER_OPERATOR", "提供方经办人"),
    ("PROVIDER_HEAD", "提供方负责人"),
    ("DATA_CENTRE", "数据中心"),
    ("ANSWER", "答复申请"),
    ("DELIVERY", "同意后共享数据"),
    ("VERIFICATION", "校核反馈"),
    ("CATALOG_UPDATE", "更新目录"),
    ("CATALOG_REVIEW", "审核发布目录"),
]
ATTRIBUTES = [("UNCONDITIONAL", "无条件共享"), ("CONDITIONAL", "有条件共享"), ("WITHHELD", "不予共享")]
EXTENSIONS = [("ASKED", "待数据中心同意"), ("CONSENTED", "已同意延期"), ("REFUSED", "未同意延期")]
SIDES = [("PROVIDER", "提供方"), ("DATA_CENTRE", "数据中心")]


def shared():
    """The columns every shared object has."""
    return [
        key(),
        uid(),
        ("origin_node", models.CharField(default=core.models.shared.this_node, editable=False, max_length=12)),
        ("origin_id", models.CharField(blank=True, default="", editable=False, max_length=64)),
        ("revision", models.PositiveIntegerField(default=1)),
        ("created_at", models.DateTimeField(auto_now_add=True)),
        ("updated_at", models.DateTimeField(auto_now=True)),
    ]


def of_request(name):
    """The request a row belongs to."""
    return (
        "access_request",
        models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name=name, to="exchange.accessrequest"),
    )


def text(title, length=500, **more):
    return models.CharField(max_length=length, verbose_name=title, **more)


def optional(title, length):
    return text(title, length, blank=True, default="")


def load_order_809(apps, schema_editor):
    """Fill the table of limits with those of State Council Order 809 and the desks' share of them."""
    rows = json.loads((Path(__file__).parents[1] / "requests" / "order_809.json").read_text(encoding="utf-8"))
    policy = apps.get_model("exchange", "SlaPolicy")
    policy.objects.bulk_create(policy(**row) for row in rows)


STATES_AND_RETURNS = [
    migrations.RemoveConstraint("accessrequest", "request_state_known"),
    migrations.AddField("accessrequest", "answer_due_at", models.DateTimeField(blank=True, null=True, verbose_name="答复时限")),
    migrations.AddField(
        "accessrequest",
        "returned_from",
        models.CharField(blank=True, choices=STATES, default="", max_length=10, verbose_name="补正后返回"),
    ),
    migrations.AlterField(
        "accessrequest",
        "desk",
        models.CharField(choices=DESKS, default="REQUESTER_OPERATOR", max_length=20, verbose_name="当前办理"),
    ),
    migrations.AlterField(
        "accessrequest", "state", models.CharField(choices=STATES, default="DRAFTED", max_length=10, verbose_name="状态")
    ),
    migrations.AddField("accessrequeststep", "was_due_at", models.DateTimeField(null=True, verbose_name="当时的办理时限")),
    migrations.AlterField("accessrequeststep", "desk", models.CharField(choices=DESKS, max_length=20, verbose_name="岗位")),
    migrations.AlterField("accessrequeststep", "from_state", models.CharField(choices=STATES, max_length=10)),
    migrations.AlterField("accessrequeststep", "to_state", models.CharField(choices=STATES, max_length=10)),
    migrations.AlterField(
        "grant",
        "state_desk",
        models.CharField(blank=True, choices=DESKS, default="", max_length=20, verbose_name="办理岗位"),
    ),
    migrations.AddConstraint(
        "accessrequest",
        models.CheckConstraint(condition=models.Q(state__in=[state for state, _title in STATES]), name="request_state_known"),
    ),
    migrations.AddConstraint(
        "accessrequest",
        models.CheckConstraint(
            condition=(models.Q(state="RETURNED") & ~models.Q(returned_from=""))
            | (~models.Q(state="RETURNED") & models.Q(returned_from="")),
            name="returned_from_somewhere",
        ),
    ),
    migrations.CreateModel(
        "MaterialReturn",
        [
            key(),
            ("side", text("要求补正方", 12, choices=SIDES)),
            ("desk", text("岗位", 20, choices=DESKS)),
            ("returned_at", models.DateTimeField(verbose_name="退回时间")),
            ("missing", text("所缺材料")),
            ("terms", models.JSONField(verbose_name="退回时的申请内容")),
            ("desk_days_left", models.PositiveSmallIntegerField(null=True, verbose_name="岗位剩余工作日")),
            ("answer_days_left", models.PositiveSmallIntegerField(null=True, verbose_name="答复剩余工作日")),
            ("resubmitted_at", models.DateTimeField(blank=True, null=True, verbose_name="补正时间")),
            ("changes", models.JSONField(blank=True, default=dict, verbose_name="改动")),
            of_request("returns"),
        ],
        {
            "verbose_name": "补正记录",
            "ordering": ["id"],
            "constraints": [
                models.UniqueConstraint(fields=["access_request", "side"], name="material_asked_once"),
                models.CheckConstraint(condition=~models.Q(missing=""), name="material_return_says_what"),
            ],
        },
    ),
]

CLOCKS = [
    migrations.CreateModel(
        "SlaPolicy",
        [
            key(),
            ("stage", text("环节", 20, choices=STAGES)),
            ("share_attribute", text("共享属性", 15, choices=ATTRIBUTES, blank=True, default="")),
            ("region_code", optional("区划代码", 12)),
            ("days", models.PositiveSmallIntegerField(verbose_name="工作日")),
            ("extension_days", models.PositiveSmallIntegerField(default=0, verbose_name="最多延长工作日")),
            ("consent_by", text("延期由谁同意", 20, choices=DESKS, blank=True, default="")),
            ("source", text("依据", 200)),
            ("valid_from", models.DateField(verbose_name="施行日期")),
        ],
        {
            "verbose_name": "时限规则",
            "ordering": ["stage", "share_attribute", "region_code", "valid_from"],
            "constraints": [
                models.UniqueConstraint(fields=["stage", "share_attribute", "region_code", "valid_from"], name="sla_policy_once"),
                models.CheckConstraint(
                    condition=models.Q(stage__in=[stage for stage, _title in STAGES]), name="sla_policy_stage_known"
                ),
                models.CheckConstraint(
                    condition=models.Q(extension_days=0) | ~models.Q(consent_by=""), name="sla_extension_has_consent"
                ),
            ],
        },
    ),
    migrations.RunPython(load_order_809, migrations.RunPython.noop),
    migrations.CreateModel(
        "ClockExtension",
        [
            *shared(),
            ("desk", text("岗位", 20, choices=DESKS)),
            ("days", models.PositiveSmallIntegerField(verbose_name="延长工作日")),
            ("reason", text("特殊原因")),
            ("asked_by_name", text("申请延期人", 60)),
            ("asked_at", models.DateTimeField(verbose_name="申请延期时间")),
            ("state", text("状态", 10, choices=EXTENSIONS, default="ASKED")),
            ("decided_by_name", optional("同意人", 60)),
            ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="决定时间")),
            ("decision_reason", optional("意见", 500)),
            ("old_due_at", models.DateTimeField(blank=True, null=True, verbose_name="原答复时限")),
            ("new_due_at", models.DateTimeField(blank=True, null=True, verbose_name="新答复时限")),
            of_request("extensions"),
            ("asked_by", kept(settings.AUTH_USER_MODEL)),
            ("decided_by", kept(settings.AUTH_USER_MODEL, null=True)),
        ],
        {
            "verbose_name": "延期",
            "ordering": ["id"],
            "constraints": [
                models.CheckConstraint(condition=models.Q(days__gte=1, days__lte=10), name="extension_at_most_ten_days"),
                models.CheckConstraint(
                    condition=models.Q(state__in=[state for state, _title in EXTENSIONS]), name="extension_state_known"
                ),
                models.CheckConstraint(
                    condition=~models.Q(state="REFUSED") | ~models.Q(decision_reason=""), name="extension_refusal_has_reason"
                ),
                models.UniqueConstraint(fields=["access_request"], condition=models.Q(state="ASKED"), name="extension_one_open"),
                models.UniqueConstraint(
                    fields=["access_request"], condition=models.Q(state="CONSENTED"), name="extension_granted_once"
                ),
            ],
        },
    ),
    migrations.CreateModel(
        "SupervisionNotice",
        [
            *shared(),
            ("desk", text("被督办岗位", 20, choices=DESKS)),
            ("text", text("督办意见")),
            ("due_at", models.DateTimeField(verbose_name="督办时的办理时限")),
            ("issued_by_name", text("督办人", 60)),
            ("issued_at", models.DateTimeField(verbose_name="督办时间")),
            ("reply", optional("回复", 500)),
            ("replied_by_name", optional("回复人", 60)),
            ("replied_at", models.DateTimeField(blank=True, null=True, verbose_name="回复时间")),
            of_request("supervision_notices"),
            ("department", kept("core.department", "被督办部门")),
            ("issued_by", kept(settings.AUTH_USER_MODEL)),
            ("replied_by", kept(settings.AUTH_USER_MODEL, null=True)),
        ],
        {
            "verbose_name": "督办",
            "ordering": ["-id"],
            "indexes": [models.Index(fields=["department", "-id"], name="supervision_department")],
            "constraints": [
                models.UniqueConstraint(
                    fields=["access_request", "desk"], condition=models.Q(replied_at=None), name="supervision_one_open_a_desk"
                ),
                models.CheckConstraint(
                    condition=models.Q(replied_at=None) | ~models.Q(reply=""), name="supervision_reply_says_something"
                ),
            ],
        },
    ),
]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0009_call_record_op_monitoring"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [*DESK_WORK, *STATES_AND_RETURNS, *CLOCKS]
