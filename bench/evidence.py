"""`evidence.seal` and `evidence.verify`: records a second, sealed in batches of 10,000 and verified again, 200,000 call records.

The yardstick `hash` reads the same records in the same order out of PostgreSQL and hashes each with hashlib, nothing else: no
batches, no digests kept in the database, no chain, no signature. `evidence.archive` is printed beside them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bench import frame

RECORDS = 200_000
FILL = """
INSERT INTO exchange_callrecord (requested_at, consumer_id, call_id, credential_id, nonce, grant_id, grant_version, resource_id,
    provider_id, department_id, mode, outcome, fields, subject_key, row_count, request_digest, answer_digest, client_ip, xid)
SELECT now() + n * interval '1 ms', n %% 100, gen_random_uuid(), n %% 200, substr(md5(n::text), 1, 22), n %% 100, 1, n %% 20,
    n %% 10, n %% 40, 'QUERY', 'call.answered', ARRAY['citizen_id', 'name', 'sex', 'address'],
    substr(sha256(n::text::bytea), 1, 16), 1,
    sha256(n::text::bytea), sha256((n + 1)::text::bytea), '10.1.2.3',
    (3 + n * (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 4) / %s)::text::xid8
FROM generate_series(1, %s) n"""


class Hashes:
    """Takes records from COPY and hashes each."""

    def __init__(self) -> None:
        self.count = 0

    def write(self, line: bytes) -> None:
        hashlib.sha256(line).digest()
        self.count += 1


def run() -> Iterable[dict[str, object]]:
    """Yield both figures, and what archiving does."""
    from django.conf import settings
    from django.db import connection

    folder = Path(settings.ENV.run_dir)
    settings.SEALER_PASSWORD = frame.environment("sealer")["DB_PASSWORD"]
    settings.SIGNING_KEY_FILE = folder / "secrets" / "signing.pem"
    frame.say(f"Making {RECORDS:,} call records ...")
    with connection.cursor() as cursor:
        cursor.execute(FILL, [RECORDS, RECORDS])
        cursor.execute("VACUUM (ANALYZE) exchange_callrecord")
    medians = frame.in_turn({"hash": hash_alone, "seal": seal_anew, "verify": verify}, rounds=3)
    for name in ("seal", "verify"):
        line = frame.figure(f"evidence.{name}", medians[name], "records/s", hash=medians[name] / medians["hash"])
        yield line | {"records": RECORDS}
    yield frame.figure("evidence.archive", archive(), "records/s")


def hash_alone() -> float:
    """Read and hash."""
    from django.db import connection

    hashes = Hashes()
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.copy_expert("COPY (SELECT * FROM exchange_callrecord ORDER BY xid) TO STDOUT", hashes)
    return _rate(hashes.count, started)


def seal_anew() -> float:
    """Seal everything, from the first record on."""
    from django.db import connection

    from exchange.evidence import sealing
    from exchange.models import Chain

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE exchange_seal")
    key = sealing.signing_key()
    sealed = 0
    started = time.perf_counter()
    with sealing.sealer() as sealer:
        while count := sealing.seal_next(sealer, Chain.CALLS, key):
            sealed += count
    return _rate(sealed, started)


def verify() -> float:
    """Verify everything; the first round has sealed before."""
    from exchange.evidence.checking import Trust, verify_chain
    from exchange.models import Chain, Seal

    if not Seal.objects.exists():
        seal_anew()
    started = time.perf_counter()
    outcome = verify_chain(Chain.CALLS, Trust.of_this_platform())
    if outcome.bad:
        raise RuntimeError(f"not intact: {outcome.bad}")
    return _rate(outcome.record_count, started)


def archive() -> float:
    """Write everything into archives."""
    import tempfile

    from django.conf import settings
    from django.utils import timezone

    from exchange.evidence.archiving import archive_due

    with tempfile.TemporaryDirectory() as folder:
        settings.ARCHIVE_DIR = Path(folder)
        started = time.perf_counter()
        archive_due(now=timezone.now(), everything=True)
        return RECORDS / (time.perf_counter() - started)


def _rate(count: Any, started: float) -> float:
    seconds = time.perf_counter() - started
    if count != RECORDS:
        raise RuntimeError(f"{count} of {RECORDS} records")
    return RECORDS / seconds
