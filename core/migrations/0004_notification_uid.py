"""Messages get a public identifier: nothing internal stands in a URL."""

from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    """Add the identifier; the table is empty or gets one each."""

    dependencies = [("core", "0003_append_only")]

    operations = [
        migrations.AddField(
            "notification",
            "uid",
            models.UUIDField(
                default=core.ids.uuid7, editable=False, unique=True, db_default=models.Func(function="gen_random_uuid")
            ),
        ),
    ]
