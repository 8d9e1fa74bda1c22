from django.db import migrations, models

CHAINS = [("CALLS", "调用记录"), ("AUDIT", "审计记录"), ("USES", "用证记录")]


class Migration(migrations.Migration):
    dependencies = [("exchange", "0025_facts"), ("licenses", "0006_presenting")]
    operations = [
        migrations.AlterField(model, "chain", models.CharField(choices=CHAINS, max_length=10, verbose_name="链"))
        for model in ("archive", "seal")
    ]
