from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchange", "0024_zones")]
    operations = [
        migrations.RemoveConstraint("feedmember", "feed_member_once"),
        migrations.RenameField("feedmember", "subject_key", "row_key"),
        migrations.AddConstraint("feedmember", models.UniqueConstraint(fields=["grant", "row_key"], name="feed_member_once")),
    ]
