"""Verification (存证核验) of the chains in the database and of the archives they were written to.

Names the first entry of a chain that is not as it was sealed. Trusted are the public keys in their file and nothing that
stands in the database. The check of an archive alone, without the platform, is `verifier`.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final, cast

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit
from core.audit import Actor
from core.models import RoleAssignment
from core.notifications import notify_users
from core.roles import Role
from core.signing import PublicKey, public_keys
from exchange.evidence import stamping
from exchange.evidence.archiving import digest_of_file
from exchange.evidence.reading import canonical_cursor, compare
from exchange.evidence.records import Cursor
from exchange.evidence.retired import is_dropped
from exchange.evidence.subjects import check_subjects
from exchange.evidence.verifier import (
    NONE,
    Checked,
    Outcome,
    Statement,
    Tampered,
    check_archive,
    check_order,
    check_seal,
)
from exchange.models import Archive, Chain, Seal

SEALS_AT_ONCE: Final = 10
EVIDENCE_PATH: Final = "/evidence/"


class Trust:
    """Signatures of the keys in a file of public keys."""

    def __init__(self, keys: Mapping[str, PublicKey]) -> None:
        self._keys = keys

    @classmethod
    def of_this_platform(cls) -> Trust:
        """The platform's own keys, past ones too."""
        return cls(public_keys(settings.SEAL_KEYS_FILE))

    def __call__(self, key: str, message: bytes, signature: bytes) -> bool:
        """Return whether the key of this id signed the message."""
        return key in self._keys and self._keys[key].verifies(message, signature)


def verify(*, actor: Actor, since: datetime | None, until: datetime | None, now: datetime) -> list[Outcome]:
    """Verify every chain and the archives on record, and write down what was found.

    `since` and `until` limit it to the seals made in between; without both the archives are read, too.
    """
    trust = Trust.of_this_platform()
    found = [verify_chain(chain, trust, since=since, until=until) for chain in Chain]
    if since is None and until is None:
        found += [verify_archives(chain, trust) for chain in Chain]
        found += [stamping.verify_stamps(chain) for chain in Chain] if stamping.is_configured() else []
    with transaction.atomic(durable=True):
        bad = any(outcome.bad for outcome in found)
        lines = [str(outcome) for outcome in found]
        audit.record(actor, "evidence.refuted" if bad else "evidence.verified", None, at=now, result=lines)
        if bad:
            _tell_auditors(lines, now)
    return found


def _tell_auditors(lines: list[str], now: datetime) -> None:
    auditors = RoleAssignment.objects.filter(role=Role.AUDIT_ADMINISTRATOR, user__is_active=True)
    user_ids = auditors.values_list("user_id", flat=True)
    title = _("存证核验发现不一致，请立即核查")
    notify_users(user_ids, title=title, body="\n".join(lines), path=EVIDENCE_PATH, now=now)


def verify_chain(chain: Chain, trust: Trust, *, since: datetime | None = None, until: datetime | None = None) -> Outcome:
    """Verify the seals of a chain in the order of their numbers, and the records each of them covers."""
    seals = Seal.objects.filter(chain=chain)
    chosen = seals.filter(**_between(since, until)).order_by("number")
    seal_count = record_count = 0
    try:
        before = _before(seals, chosen)
        stream = cast("Generator[Seal, None, None]", chosen.iterator(chunk_size=SEALS_AT_ONCE))
        with canonical_cursor() as cursor, closing(stream) as found:
            for seal in found:
                before = _verify_seal(cursor, seal, trust, before)
                seal_count, record_count = seal_count + 1, record_count + seal.record_count
        if until is None:
            _check_end(chain, seals)
    except Tampered as bad:
        return Outcome(chain.value, seal_count, record_count, bad)
    return Outcome(chain.value, seal_count, record_count)


def _between(since: datetime | None, until: datetime | None) -> dict[str, datetime]:
    limits = {"sealed_at__gte": since, "sealed_at__lt": until}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _before(seals: QuerySet[Seal], chosen: QuerySet[Seal]) -> str | None:
    """Return the statement of the seal before the first chosen one; a chain begins with number one."""
    first = chosen.values_list("number", flat=True).first()
    if first is None or first == 1:
        return None
    before = seals.filter(number=first - 1).values_list("statement", flat=True).first()
    if before is None:
        raise Tampered(f"{seals[0].chain} seal {first - 1}", "deleted")
    return before


def _verify_seal(cursor: Cursor, seal: Seal, trust: Trust, before: str | None) -> str:
    """Check a seal, its place in the chain and its records; return its statement for the next one."""
    place = f"{seal.chain} seal {seal.number}"
    statement = check_seal(seal.statement, bytes(seal.signature), trust, place)
    if not _repeats(seal, statement):
        raise Tampered(place, "edited: its columns are not what was signed")
    check_order(statement, before)
    if before is None and (statement.xid_from, statement.previous_digest) != (0, NONE):
        raise Tampered(place, "edited: a chain does not begin like this")
    # The records of a dropped month are in the archives alone.
    if not is_dropped(statement.chain, statement.xid_from, statement.xid_to, statement.first_at):
        compare(cursor, seal, statement)
        check_subjects(cursor, statement)
    return seal.statement


def _repeats(seal: Seal, statement: Statement) -> bool:
    """Whether the columns beside a statement say the same."""
    same = all(
        getattr(seal, name) == getattr(statement, name) for name in ("chain", "number", "xid_from", "xid_to", "record_count")
    )
    times = (datetime.fromisoformat(getattr(statement, name)) for name in ("first_at", "last_at", "sealed_at"))
    return same and (seal.first_at, seal.last_at, seal.sealed_at) == tuple(times)


def _check_end(chain: Chain, seals: QuerySet[Seal]) -> None:
    """The chain alone cannot tell that its end was cut off; the archives remember how far it went."""
    end = seals.order_by("-number").values_list("number", flat=True).first() or 0
    archived = Archive.objects.filter(chain=chain).order_by("-last_seal").first()
    if archived is not None and archived.last_seal > end:
        raise Tampered(f"{chain.value} seal {end + 1}", f"deleted: archive {archived.name} goes up to seal {archived.last_seal}")


def verify_archives(chain: Chain, trust: Trust, *, first_seal: int = 1, last_seal: int | None = None) -> Outcome:
    """Verify the archives on record that hold any of these seals, their files and their rows."""
    what, seal_count, record_count = f"{chain.value} archives", 0, 0
    before: Checked | None = None
    chosen = Archive.objects.filter(chain=chain, last_seal__gte=first_seal)
    if last_seal is not None:
        chosen = chosen.filter(first_seal__lte=last_seal)
    try:
        for archive in chosen.order_by("number"):
            path = settings.ARCHIVE_DIR / archive.name
            if not path.exists():
                raise Tampered(archive.name, "deleted")
            before = check_archive(path, trust, before)
            _check_against_row(archive, path, before)
            seal_count, record_count = seal_count + before.seal_count, record_count + before.record_count
    except Tampered as bad:
        return Outcome(what, seal_count, record_count, bad)
    return Outcome(what, seal_count, record_count)


def _check_against_row(archive: Archive, path: Path, checked: Checked) -> None:
    """An intact file that is not the one that was written, or not of the seals in the database, is bad as well."""
    if (archive.file_digest, archive.last_digest) != (digest_of_file(path), checked.last_digest):
        raise Tampered(archive.name, "edited: it is not the file that was written")
    sealed = Seal.objects.filter(chain=archive.chain, number=archive.last_seal).values_list("statement", flat=True).first()
    if sealed is not None and sealed != checked.statement:
        raise Tampered(archive.name, f"it does not hold seal {archive.last_seal} as the database has it")
