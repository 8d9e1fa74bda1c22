"""What a batch of places needs beyond rules of single rows (批次校验): one writer of parcels, no overlap inside the batch.

`prepare` comes before the rows of a batch are judged, `settle` after; both do nothing for other datasets.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from basedb.cleaning import typed_sql
from basedb.dictionary import Dataset
from basedb.dictionary.geography import DATASETS, PARCEL, SHIFTED_SQL
from basedb.models import GeometrySource
from basedb.rules.geography import SHIFTED_KEPT

OVERLAP = "outline.overlap"


def prepare(dataset: Dataset, source_id: int) -> None:
    """Say whether this source may keep shifted coordinates, and let no second batch of parcels be judged beside this one."""
    if dataset not in DATASETS:
        return
    kept = GeometrySource.objects.filter(source_id=source_id, is_shifted_kept=True).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [SHIFTED_KEPT, "on" if kept else "off"])
        if dataset is PARCEL:  # what a batch beside this one stores could not be seen by its rule of overlap
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [dataset.table])


def settle(dataset: Dataset, judged: str, fields: Collection[str]) -> int:
    """Reject the later of two good rows of table `judged` whose parcels overlap; return how many rows that were."""
    if dataset is not PARCEL or not {"parcel_code", "outline"} <= set(fields):
        return 0
    shapes = f"shapes_{judged}"
    outline = typed_sql(PARCEL.field("outline"), "s.outline")
    standing = "coalesce(s.parcel_state, '1') <> '2'" if "parcel_state" in fields else "true"
    sound = f"coalesce(s.datum, '') NOT IN {SHIFTED_SQL}" if "datum" in fields else "true"  # a shifted one lies elsewhere
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {shapes} ON COMMIT DROP AS SELECT s.row_number, s.parcel_code, {outline} AS outline"
            f" FROM {judged} s WHERE s.rule IS NULL AND NOT s.gone AND s.outline IS NOT NULL AND {standing} AND {sound}"
        )
        cursor.execute(f"CREATE INDEX ON {shapes} USING gist (outline)")
        cursor.execute(f"ANALYZE {shapes}")
        cursor.execute(
            f"SELECT a.row_number, b.row_number FROM {shapes} a JOIN {shapes} b ON a.outline && b.outline"
            " WHERE a.row_number < b.row_number AND a.parcel_code <> b.parcel_code"
            " AND substr(a.parcel_code, 14, 1) = substr(b.parcel_code, 14, 1)"
            " AND basedb_parcels_overlap(a.outline, b.outline) ORDER BY b.row_number"
        )
        rejected: set[int] = set()
        for earlier, later in cursor.fetchall():
            if earlier not in rejected:
                rejected.add(later)
        if rejected:
            cursor.execute(f"UPDATE {judged} SET rule = %s WHERE row_number = ANY (%s)", [OVERLAP, sorted(rejected)])
        cursor.execute(f"DROP TABLE {shapes}")  # the next batch of the run uses the same names
    return len(rejected)
