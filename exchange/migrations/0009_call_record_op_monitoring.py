"""What op-monitoring needs of a call, added to the record; and the roll-ups of calls by minute, hour and day with their cursor.

Records made before keep nulls here; seals made before name the columns they cover, so they verify as they did.
"""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

import core.models.shared

COLUMNS = {
    "status": "smallint",
    "duration_us": "bigint",
    "request_bytes": "integer",
    "answer_bytes": "bigint",
    "quota_left": "integer",
    "subject_count": "integer",
    "matter": "varchar(64)",
    "officer": "varchar(40)",
    "case_number": "varchar(64)",
}


class Migration(migrations.Migration):
    dependencies = [("exchange", "0008_call_record_lighter")]
    operations = [
        migrations.RunSQL(
            f"ALTER TABLE exchange_callrecord {', '.join(f'ADD COLUMN {name} {kind}' for name, kind in COLUMNS.items())}",
            f"ALTER TABLE exchange_callrecord {', '.join(f'DROP COLUMN {name}' for name in COLUMNS)}",
        ),
    ]
