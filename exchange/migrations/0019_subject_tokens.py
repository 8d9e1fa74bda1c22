"""Tokens in place of identifiers: the sealed key of a grant, and the token beside each registered client."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0018_answers_of_older_requests")]
    operations = [
        migrations.CreateModel(
            name="GrantTokenKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("secret_key_id", models.PositiveIntegerField(editable=False, null=True)),
                ("secret_nonce", models.BinaryField(max_length=12, null=True)),
                ("secret_ciphertext", models.BinaryField(null=True)),
                ("issued_at", models.DateTimeField(verbose_name="生成时间")),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="token_key", to="exchange.grant"
                    ),
                ),
            ],
            options={"verbose_name": "对象令牌密钥"},
        ),
        migrations.AddField("grantsubject", "token", models.BinaryField(max_length=32, null=True)),
        migrations.AddConstraint("grantsubject", models.UniqueConstraint(fields=("grant", "token"), name="grant_token_once")),
    ]
