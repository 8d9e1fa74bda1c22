"""An entry says whether its data is about minors (未成年人), which calls for more care when it is shared."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("catalog", "0003_sharing_mode_subscribe")]
    operations = [
        migrations.AddField(
            model_name="resource",
            name="concerns_minors",
            field=models.BooleanField(default=False, verbose_name="涉及未成年人"),
        )
    ]
