"""Evidence for an auditor (存证导出): seals of a period, their records, the public keys, a verifier that needs no platform."""

from __future__ import annotations

import tempfile
import zipfile
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import audit, keyset
from core.audit import Actor
from core.calendar import SHANGHAI
from core.errors import Conflict, Forbidden, Invalid
from core.models import AuditEntry
from core.roles import Role
from exchange.evidence import archiving, verifier
from exchange.evidence.lag import lags
from exchange.evidence.stamping import file_name
from exchange.evidence.verifier import NONE, Tampered
from exchange.models import Archive, Chain, Seal, SealTimestamp

ORDER: Final = ("-sealed_at", "-id")
RECORDS_AT_MOST: Final = 500_000
SEALS_AT_ONCE: Final = 10
HOW: Final = (
    "python3 verifier.py --keys seal_keys.pem mlog-*.zip\n"
    "With time stamps: --timestamps timestamps --tsa FILE, where FILE holds the authority's certificates (PEM) as you got them.\n"
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which seals: of a chain (empty = both), of records of these days in Shanghai (None = not limited)."""

    chain: str = ""
    since: date | None = None
    until: date | None = None

    def as_detail(self) -> dict[str, str]:
        """Return what was chosen, for the trail."""
        return {name: str(value) for name in ("chain", "since", "until") if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class Standing:
    """How the evidence stands: lag of each chain in seconds, the last verification, the last archive of each chain."""

    lags: dict[str, float]
    verification: AuditEntry | None
    archives: list[Archive]


def _check_auditor(actor: Actor) -> None:
    if not actor.has(Role.AUDIT_ADMINISTRATOR):
        raise Forbidden("role.required", _("存证仅供审计管理员查看和导出。"), {"roles": [Role.AUDIT_ADMINISTRATOR.value]})


def select(chosen: Chosen) -> QuerySet[Seal]:
    """Return the seals that cover a record of the days chosen."""
    seals = Seal.objects.all()
    if chosen.chain:
        seals = seals.filter(chain=chosen.chain)
    if chosen.since:
        seals = seals.filter(last_at__gte=datetime.combine(chosen.since, time.min, SHANGHAI))
    if chosen.until:
        seals = seals.filter(first_at__lt=datetime.combine(chosen.until, time.min, SHANGHAI) + timedelta(days=1))
    return seals


def read(*, actor: Actor, chosen: Chosen, cursor: str) -> keyset.Page[Seal]:
    """Return one page of seals, the newest first."""
    _check_auditor(actor)
    return keyset.page(select(chosen).defer("record_digests"), order=ORDER, cursor=cursor)


def standing(*, actor: Actor) -> Standing:
    """Return how the evidence stands now."""
    _check_auditor(actor)
    with connection.cursor() as cursor:
        waiting = lags(cursor)
    verified = AuditEntry.objects.filter(action__in=("evidence.verified", "evidence.refuted")).order_by("-id").first()
    last = [Archive.objects.filter(chain=chain).order_by("-number").first() for chain in Chain]
    return Standing(waiting, verified, [archive for archive in last if archive])


@transaction.atomic(durable=True)
def export(*, actor: Actor, chosen: Chosen, now: datetime) -> IO[bytes]:
    """Return a zip (open, at its beginning) with an archive of each chain, and write the export down.

    Nothing sealed in the period, or more than 500,000 records, raise Invalid; a batch that is not as it was sealed raises Conflict.
    """
    _check_auditor(actor)
    seals = {chain: _unbroken(select(chosen).filter(chain=chain)) for chain in Chain}
    count = sum(sum(found.values_list("record_count", flat=True)) for found in seals.values())
    if not count:
        raise Invalid("evidence.nothing_sealed", _("所选时间内没有已封存的记录。"))
    if count > RECORDS_AT_MOST:
        raise Invalid(
            "evidence.export_too_large", _("所选记录超过 %(limit)s 条，请缩小时间范围后再导出。") % {"limit": RECORDS_AT_MOST}
        )
    audit.record(actor, "evidence.exported", None, at=now, filters=chosen.as_detail(), row_count=count)
    made: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - the door closes it when it has been sent
    try:
        _write(made, seals)
    except Tampered as bad:
        made.close()
        raise Conflict("evidence.tampered", _("存证与封存时不一致，不能导出：%(entry)s") % {"entry": bad}) from bad
    except BaseException:
        made.close()
        raise
    made.seek(0)
    return made


def _unbroken(chosen: QuerySet[Seal]) -> QuerySet[Seal]:
    """Return the seals from the first chosen to the last: a chain with gaps could not be verified."""
    numbers = chosen.order_by("number").values_list("number", flat=True)
    first, last = numbers.first(), numbers.last()
    chain = Seal.objects.filter(chain__in=chosen.values("chain"))
    return chain.filter(number__gte=first, number__lte=last).order_by("number") if first is not None else chain.none()


def _write(file: IO[bytes], seals: dict[Chain, Any]) -> None:
    with zipfile.ZipFile(file, "w") as export:
        for found in seals.values():
            if not found.exists():
                continue
            with tempfile.TemporaryFile() as part, closing(found.iterator(chunk_size=SEALS_AT_ONCE)) as stream:
                written = archiving.write(part, stream, (NONE, NONE))
                part.seek(0)
                with export.open(written.name, "w", force_zip64=True) as entry:
                    while block := part.read(1 << 20):
                        entry.write(block)
        for found in seals.values():
            for stamp in SealTimestamp.objects.filter(seal__in=found.values("pk")).select_related("seal"):
                export.writestr(f"timestamps/{file_name(stamp.seal.chain, stamp.seal.number)}", bytes(stamp.token))
        export.writestr("verifier.py", Path(verifier.__file__).read_text())
        export.writestr("seal_keys.pem", Path(settings.SEAL_KEYS_FILE).read_text())
        export.writestr("README.txt", HOW)
