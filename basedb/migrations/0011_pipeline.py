"""Pieces of records that have ended are found by their key as quickly as current ones; a batch numbers its versions itself."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("basedb", "0010_thematic")]
    operations = [
        migrations.AddIndex(
            model_name="sourcerecord",
            index=models.Index(
                fields=["source", "source_key"],
                condition=models.Q(("known__upper_inf", True), ("valid__upper_inf", False)),
                name="source_record_ended",
            ),
        ),
        # The chain of a record is the number of its first version: it has to be known before the row is written.
        migrations.RunSQL(
            "GRANT USAGE ON SEQUENCE basedb_sourcerecord_id_seq TO worker",
            "REVOKE USAGE ON SEQUENCE basedb_sourcerecord_id_seq FROM worker",
        ),
    ]
