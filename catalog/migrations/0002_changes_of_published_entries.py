"""A published entry is changed through a working copy: `change_of`, the state MERGED, and one open change at a time."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

STATES = [
    ("DRAFTED", "草稿"),
    ("SUBMITTED", "待部门负责人审批"),
    ("ENDORSED", "待数据中心发布"),
    ("PUBLISHED", "已发布"),
    ("WITHDRAWN", "已下线"),
    ("MERGED", "变更已发布"),
]


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]
    operations = [
        migrations.AlterField(
            "resource", "state", models.CharField(verbose_name="状态", max_length=10, choices=STATES, default="DRAFTED")
        ),
        migrations.AddField(
            "resource",
            "change_of",
            models.ForeignKey(
                "catalog.resource", django.db.models.deletion.PROTECT, null=True, related_name="changes", editable=False
            ),
        ),
        migrations.RemoveConstraint("resource", "resource_state_known"),
        migrations.AddConstraint(
            "resource",
            models.CheckConstraint(condition=Q(state__in=[state for state, _ in STATES]), name="resource_state_known"),
        ),
        migrations.RemoveConstraint("resource", "resource_title_once"),
        migrations.AddConstraint(
            "resource",
            models.UniqueConstraint(
                fields=["provider", "title"], condition=~Q(state="WITHDRAWN") & Q(change_of=None), name="resource_title_once"
            ),
        ),
        migrations.AddConstraint(
            "resource",
            models.CheckConstraint(
                condition=Q(change_of=None) & ~Q(state="MERGED") | Q(change_of__isnull=False, code=None) & ~Q(state="PUBLISHED"),
                name="resource_change_has_no_code",
            ),
        ),
        migrations.AddConstraint(
            "resource",
            models.UniqueConstraint(
                fields=["change_of"], condition=~Q(state__in=["WITHDRAWN", "MERGED"]), name="resource_one_open_change"
            ),
        ),
    ]
