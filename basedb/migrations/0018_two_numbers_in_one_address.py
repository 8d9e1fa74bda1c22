"""Two written numbers of which one ends like the other: 二十一号一号楼 was read as 二十1号1栋."""

from django.db import migrations

from basedb.migrations._0005_addresses import NORMALIZE


class Migration(migrations.Migration):
    dependencies = [("basedb", "0017_records_of_old_numbers")]

    operations = [
        migrations.RunSQL(NORMALIZE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"), migrations.RunSQL.noop),
        migrations.RunSQL(
            "UPDATE basedb_address SET full_address = full_address"
            " WHERE normalized <> basedb_normalize_address(full_address) OR words <> basedb_address_words(full_address)",
            migrations.RunSQL.noop,
        ),
    ]
