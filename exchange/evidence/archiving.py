"""Archives (存证归档): zips in X-Road's `linkinginfo` layout, one container a sealed batch, each archive chained to the last.

The bytes follow from the seals alone: made again they are the same. A batch whose records are not what was sealed is not archived.
The layout stands in docs/evidence.md, its check in `verifier`; retention of the tables is not here.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import zipfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from core.calendar import SHANGHAI
from exchange.evidence.reading import canonical_cursor, records_of
from exchange.evidence.verifier import LINKING, MIMETYPE, NONE, PARTS, Statement, link, read_statement
from exchange.models import Archive, Chain, Seal

logger = logging.getLogger(__name__)

ALGORITHM: Final = "SHA-512"
PERIOD_HOURS: Final = 6
SEALS_AT_MOST: Final = 50
LATE_SECONDS: Final = 300  # a seal of the period just ended may still be committing


class Written(NamedTuple):
    """What an archive file holds."""

    first: Statement
    last: Statement
    last_digest: str

    @property
    def name(self) -> str:
        """`mlog-grouping-X-Y-Z.zip`: first and last time of sealing, and the first seal's number: names sort as the chain goes."""
        first_at, last_at = ("".join(filter(str.isdecimal, part.sealed_at))[:14] for part in (self.first, self.last))
        return f"mlog-{self.first.chain.lower()}-{first_at}-{last_at}-{self.first.number:010d}.zip"


def archive_due(*, now: datetime, everything: bool = False) -> list[str]:
    """Archive the seals of periods that have ended, or all there are; return the names of the files."""
    local = now.astimezone(SHANGHAI) - timedelta(seconds=LATE_SECONDS)
    period_start = local.replace(hour=local.hour // PERIOD_HOURS * PERIOD_HOURS, minute=0, second=0, microsecond=0)
    before = now + timedelta(days=1) if everything else period_start
    names = []
    for chain in Chain:
        while archive := _archive_next(chain, before, now):
            names.append(archive.name)
    return names


@transaction.atomic(durable=True)
def _archive_next(chain: Chain, before: datetime, now: datetime) -> Archive | None:
    """Write one archive and its row, or nothing when another worker is at it or nothing is due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('exchange_archive'), hashtext(%s))", [chain.value])
        if not cursor.fetchone()[0]:
            return None
    last = Archive.objects.filter(chain=chain).order_by("-number").first()
    after = last.last_seal if last else 0
    seals = list(Seal.objects.filter(chain=chain, number__gt=after, sealed_at__lt=before).order_by("number")[:SEALS_AT_MOST])
    if not seals:
        return None
    draft = settings.ARCHIVE_DIR / f".{chain.lower()}.part"
    with draft.open("wb") as file:
        written = write(file, seals, (last.last_digest, last.name) if last else (NONE, NONE))
        file.flush()
        os.fsync(file.fileno())
    made = Archive.objects.create(
        chain=chain,
        number=(last.number if last else 0) + 1,
        name=written.name,
        first_seal=written.first.number,
        last_seal=written.last.number,
        last_digest=written.last_digest,
        file_digest=digest_of_file(draft),
        size=draft.stat().st_size,
        archived_at=now,
    )
    draft.replace(settings.ARCHIVE_DIR / written.name)
    logger.info("archived seals %s to %s of %s as %s", made.first_seal, made.last_seal, chain, made.name)
    return made


def write(file: IO[bytes], seals: Iterable[Seal], previous: tuple[str, str]) -> Written:
    """Write an archive that follows the previous one (digest and name, both "-" for none) and return what it holds."""
    digest, lines, statements = previous[0], [], []
    with zipfile.ZipFile(file, "w") as archive, canonical_cursor() as cursor:
        for seal in seals:
            statement = read_statement(seal.statement, f"{seal.chain} seal {seal.number}")
            content = container(seal, b"".join(records_of(cursor, seal, statement)))
            name = f"{seal.chain.lower()}-{seal.number:010d}.asice"
            digest = link(ALGORITHM, digest, content)
            _add(archive, name, content, zipfile.ZIP_STORED)
            lines.append(f"{digest} {name}\n")
            statements.append(statement)
        header = f"{previous[0]} {previous[1]} {ALGORITHM}\n"
        _add(archive, LINKING, (header + "".join(lines)).encode(), zipfile.ZIP_DEFLATED)
    return Written(statements[0], statements[-1], digest)


def container(seal: Seal, records: bytes) -> bytes:
    """Return one sealed batch as a container: its records, their digests, the statement and its signature."""
    digests = bytes(seal.record_digests).hex()
    listed = "".join(f"{digests[start : start + 64]}\n" for start in range(0, len(digests), 64))
    contents = (MIMETYPE.encode(), records, listed.encode(), seal.statement.encode(), bytes(seal.signature))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, content in zip(PARTS, contents, strict=True):
            _add(made, name, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, method: int) -> None:
    """Add an entry without time, owner or anything else that differs from one making to the next."""
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = method
    entry.create_system = 3
    entry.external_attr = 0o600 << 16
    archive.writestr(entry, content)
