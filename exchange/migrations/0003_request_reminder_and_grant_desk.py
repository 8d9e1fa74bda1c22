"""What a desk was last reminded of, and which desk put a grant into its state (the provider resumes only its own suspensions)."""

from django.db import migrations, models

DESKS = [
    ("REQUESTER_OPERATOR", "申请方经办人"),
    ("REQUESTER_HEAD", "申请方负责人"),
    ("PROVIDER_OPERATOR", "提供方经办人"),
    ("PROVIDER_HEAD", "提供方负责人"),
    ("DATA_CENTRE", "数据中心"),
    ("NOBODY", "已办结"),
]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0002_call_record")]
    operations = [
        migrations.AddField(
            "accessrequest",
            "reminder",
            models.CharField(
                blank=True, choices=[("SOON", "即将到期"), ("OVERDUE", "已超期")], default="", max_length=8, verbose_name="催办"
            ),
        ),
        migrations.AddField(
            "grant",
            "state_desk",
            models.CharField(blank=True, choices=DESKS, default="", max_length=20, verbose_name="办理岗位"),
        ),
    ]
