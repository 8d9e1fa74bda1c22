"""Records of the old numbers of entities are found by the number: it names the fact without saying whose it is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("basedb", "0016_merged_entities")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX source_record_legacy_number ON basedb_sourcerecord ((payload ->> 'legacy_number'))"
            " WHERE upper_inf(known) AND upper_inf(valid) AND (payload ->> 'legacy_number') IS NOT NULL",
            "DROP INDEX source_record_legacy_number",
        ),
    ]
