"""What a grant holds beyond fields and quota, every version of it, the consumer's own clients, and filings of termination.

Grants issued before get their present terms as a version: earlier ones stand in the audit trail alone.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from core.append_only import guard

DESKS = [
    ("REQUESTER_OPERATOR", "申请方经办人"),
    ("REQUESTER_HEAD", "申请方负责人"),
    ("PROVIDER_OPERATOR", "提供方经办人"),
    ("PROVIDER_HEAD", "提供方负责人"),
    ("DATA_CENTRE", "数据中心"),
    ("PLATFORM", "平台自动办理"),
    ("NOBODY", "已办结"),
]
EVENTS = [
    ("ISSUED", "授权"),
    ("SUSPENDED", "暂停"),
    ("RESUMED", "恢复"),
    ("REVOKED", "撤销"),
    ("NARROWED", "收窄"),
    ("TERMINATED", "终止备案"),
    ("ADDRESSES_LIMITED", "登记来源地址"),
    ("CLIENTS_LOADED", "登记服务对象"),
    ("ADOPTED", "补录"),
]
ADOPT = """
INSERT INTO exchange_grantversion (grant_id, number, at, event, actor_name, actor_department, reason, terms)
SELECT g.id, g.version, now(), 'ADOPTED', '', '', '', jsonb_build_object(
    'state', g.state, 'suspension_ground', '', 'put_right_by', NULL, 'mode', g.mode, 'purpose', g.purpose,
    'system', s.uid, 'system_name', s.name, 'resource', r.uid, 'resource_title', r.title, 'fields', to_jsonb(g.fields),
    'masks', g.masks, 'region_prefix', g.region_prefix, 'row_filter', '[]'::jsonb, 'control_parameters', '{}'::jsonb,
    'matters', '[]'::jsonb, 'ip_list', '[]'::jsonb, 'quota_per_day', g.quota_per_day, 'quota_per_second', g.quota_per_second,
    'valid_from', g.valid_from, 'valid_to', g.valid_to, 'client_count', 0, 'client_digest', '')
FROM exchange_grant g JOIN exchange_consumersystem s ON s.id = g.system_id JOIN catalog_resource r ON r.id = g.resource_id"""
ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def _person() -> models.ForeignKey:
    return models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL)


def _texts(length: int, title: str) -> django.contrib.postgres.fields.ArrayField:
    return django.contrib.postgres.fields.ArrayField(
        base_field=models.CharField(max_length=length), blank=True, default=list, size=None, verbose_name=title
    )


def _limits(model: str) -> list[migrations.AddField]:
    columns = {
        "row_filter": models.JSONField(blank=True, default=list, verbose_name="行过滤"),
        "control_parameters": models.JSONField(blank=True, default=dict, verbose_name="管控参数"),
        "matters": _texts(64, "事项"),
        "ip_list": _texts(43, "来源地址"),
    }
    return [migrations.AddField(model_name=model, name=name, field=field) for name, field in columns.items()]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0011_baskets_and_remarks"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        *_limits("accessrequest"),
        migrations.AddField(
            model_name="accessrequest",
            name="quota_per_second",
            field=models.PositiveIntegerField(default=100, verbose_name="每秒调用量"),
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="masks",
            field=models.JSONField(blank=True, default=dict, verbose_name="审批确定的脱敏"),
        ),
        *_limits("grant"),
        migrations.AddField(
            model_name="grant",
            name="suspension_ground",
            field=models.CharField(
                blank=True, choices=[("CHECK", "核查"), ("MISUSE", "违规使用")], default="", max_length=10, verbose_name="暂停事由"
            ),
        ),
        migrations.AddField(
            model_name="grant", name="put_right_by", field=models.DateField(blank=True, null=True, verbose_name="限期整改")
        ),
        migrations.AddField(
            model_name="grant", name="client_count", field=models.PositiveIntegerField(default=0, verbose_name="服务对象数")
        ),
        migrations.AddField(
            model_name="grant",
            name="client_digest",
            field=models.CharField(blank=True, default="", max_length=64, verbose_name="服务对象清单摘要"),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(("suspension_ground", "MISUSE"), _negated=True) | models.Q(("put_right_by__isnull", False)),
                name="misuse_has_deadline",
            ),
        ),
        migrations.CreateModel(
            name="GrantVersion",
            fields=[
                ID,
                ("number", models.PositiveIntegerField(verbose_name="授权版本")),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("event", models.CharField(choices=EVENTS, max_length=20, verbose_name="动作")),
                ("actor_name", models.CharField(blank=True, max_length=60, verbose_name="办理人")),
                ("actor_department", models.CharField(blank=True, max_length=100, verbose_name="部门")),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="理由")),
                ("terms", models.JSONField(verbose_name="授权内容")),
                ("actor", _person()),
                (
                    "grant",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="exchange.grant"),
                ),
            ],
            options={
                "verbose_name": "授权版本",
                "ordering": ["-number"],
                "constraints": [models.UniqueConstraint(fields=("grant", "number"), name="grant_version_once")],
            },
        ),
        migrations.CreateModel(
            name="GrantSubject",
            fields=[
                ID,
                ("subject_key", models.BinaryField(max_length=16)),
                (
                    "grant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subjects",
                        to="exchange.grant",
                    ),
                ),
            ],
            options={
                "verbose_name": "服务对象",
                "constraints": [models.UniqueConstraint(fields=("grant", "subject_key"), name="grant_subject_once")],
            },
        ),
        migrations.CreateModel(
            name="TerminationFiling",
            fields=[
                ID,
                ("number", models.CharField(max_length=20, unique=True, verbose_name="备案编号")),
                ("reason", models.CharField(max_length=500, verbose_name="终止理由")),
                ("negotiated_on", models.DateField(verbose_name="协商日期")),
                ("ends_on", models.DateField(verbose_name="停止服务日期")),
                ("previous_valid_to", models.DateTimeField(verbose_name="原失效时间")),
                ("desk", models.CharField(choices=DESKS, max_length=20, verbose_name="办理岗位")),
                ("filed_at", models.DateTimeField(verbose_name="备案时间")),
                ("filed_by_name", models.CharField(max_length=60, verbose_name="备案人")),
                ("filed_by", _person()),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="termination", to="exchange.grant"
                    ),
                ),
            ],
            options={
                "verbose_name": "终止备案",
                "ordering": ["-id"],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("reason", ""), _negated=True), name="termination_has_reason")
                ],
            },
        ),
        migrations.RunSQL(*guard("exchange_grantversion")),
        migrations.RunSQL(*guard("exchange_terminationfiling")),
        migrations.RunSQL(ADOPT, migrations.RunSQL.noop),
    ]
