"""What tells nothing new (未变更): rows whose digest is that of the current record of their key stay outside.

A key that comes more than once in a batch is let through whole: only all of its rows together say how it ends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.db import connection

from basedb.models import DataSource
from basedb.staging import BETWEEN  # in no key: those that hold control characters are digested


def places_of_news(source: DataSource, keys: Sequence[str], digests: Sequence[bytes]) -> list[int]:
    """Return the places, in order, of the rows that are not known just so already."""
    if not keys:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT g.place - 1 FROM unnest(string_to_array(%s, %s)) WITH ORDINALITY AS g (key, place)"
            " JOIN basedb_sourcerecord r ON r.source_id = %s AND r.source_key = g.key"
            " WHERE upper_inf(r.known) AND upper_inf(r.valid) AND r.row_hash = substring(%s FROM (g.place * 16 - 15)::int FOR 16)",
            [BETWEEN.join(keys), BETWEEN, source.pk, b"".join(digests)],
        )
        known = {place for (place,) in cursor}
    if len(set(keys)) < len(keys):
        times = Counter(keys)
        known = {place for place in known if times[keys[place]] == 1}
    return [place for place in range(len(keys)) if place not in known]
