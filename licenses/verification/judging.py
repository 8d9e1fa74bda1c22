"""Judging a license (核验判断): from what a register says to three fragments. Pure: rows in, a result out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from basedb.masking import Mask, mask_value
from core.calendar import SHANGHAI
from licenses.models import LicenseState
from licenses.numbering import Identifier, Warn
from licenses.status.states import FINAL
from licenses.verification.outcome import Fragment, Result, Summary, fragment
from licenses.verification.statement import Found, version_in, written

ENTITY: Final = "001"  # a code of unified social credit; under any other a person may be named (standards §4.2)
STATUS_OF: Final[Mapping[str, str]] = {
    LicenseState.SUSPENDED: "status.suspended",
    LicenseState.RESCINDED: "status.rescinded",
    LicenseState.CANCELLED: "status.cancelled",
    LicenseState.LAPSED: "status.lapsed",
    LicenseState.MOVED_AWAY: "status.moved_away",
    LicenseState.REVOKED: "status.revoked",
}


def judge(asked: Identifier, found: Found, *, now: datetime, position: int | None = None) -> Result:
    """Return what is known of a license by its identifier; `position` is the place a QR code claims in the list "issued"."""
    today = now.astimezone(SHANGHAI).date()
    if found.register is None:
        return Result(_integrity(asked, is_on_record=False), _unknown_status(asked, found), _unknown_issuer(found), checked_at=now)
    status = _status(written(asked), found, today)
    is_another = status.code == "status.unknown_license"  # what is on record beside it vouches for nothing
    return Result(
        integrity=_integrity_of(asked, found, position),
        status=status,
        issuer=fragment("issuer.registered", {"issuer_code": found.issuer_code}) if is_another else _issuer(found),
        checked_at=now,
        license=_summary(written(asked), found),
        subject_key=bytes(found.subject_key) if found.subject_key is not None else None,
    )


def _integrity(asked: Identifier, *, is_on_record: bool) -> Fragment:
    if Warn.CHECK not in asked.warnings:
        return fragment("integrity.not_examined")
    return fragment("integrity.check_character_on_record" if is_on_record else "integrity.check_character")


def _integrity_of(asked: Identifier, found: Found, position: int | None) -> Fragment:
    if position is not None and (found.register != "issued" or found.position != position):
        return fragment("integrity.other_license")
    if found.register == "issued" and not found.is_signed and Warn.CHECK not in asked.warnings:
        return fragment("integrity.not_signed_yet")
    return _integrity(asked, is_on_record=found.identifier == written(asked))


def _status(identifier: str, found: Found, today: date) -> Fragment:
    evidence = {"list": str(found.register), "since": found.state_at.astimezone(SHANGHAI).isoformat(timespec="seconds")}
    if found.register == "aggregated":
        if found.identifier != identifier:
            return _other_version(identifier, found, evidence)
        if not found.is_current:
            return fragment("status.withdrawn", evidence)
    elif not found.is_current and found.state not in FINAL:
        newer = version_in(found.next_identifier) if found.next_identifier else "—"
        told = evidence | {"superseded_by": found.next_identifier or "", "version": newer}
        return fragment("status.superseded", told, version=newer)
    return _standing(found, today, evidence)


def _standing(found: Found, today: date, evidence: dict[str, str]) -> Fragment:
    if found.state != LicenseState.VALID:
        return fragment(STATUS_OF.get(found.state, "status.other"), evidence)
    if found.valid_to is not None and found.valid_to < today:
        return fragment("status.expired", evidence | {"valid_to": found.valid_to.isoformat()})
    if found.valid_from is not None and found.valid_from > today:
        return fragment("status.not_yet_valid", evidence | {"valid_from": found.valid_from.isoformat()})
    if found.register == "issued":
        evidence["position"] = str(found.position)
    return fragment("status.valid", evidence)


def _other_version(identifier: str, found: Found, evidence: Mapping[str, str]) -> Fragment:
    """Of an aggregated license only the newest version is kept: an older one was superseded, a newer one nobody knows."""
    asked, kept = version_in(identifier), found.version or version_in(found.identifier)
    if asked < kept:
        return fragment("status.superseded", dict(evidence) | {"superseded_by": found.identifier, "version": kept}, version=kept)
    return fragment("status.unknown_license")


def _issuer(found: Found) -> Fragment:
    evidence = {"issuer_code": found.issuer_code, "register": str(found.register)}
    if found.register == "aggregated":
        return fragment("issuer.on_record" if found.is_entrusted else "issuer.not_listed", evidence)
    if not found.is_entrusted:
        return fragment("issuer.not_entrusted", evidence)
    if not found.is_signed or found.key_code is None or found.key_from is None or found.issued_at is None:
        return fragment("issuer.not_signed_yet", evidence)
    evidence |= {"key": found.key_code, "key_since": found.key_from.astimezone(SHANGHAI).isoformat(timespec="seconds")}
    signed_at = max(found.issued_at, found.key_from)  # those of a batch are signed afterwards, perhaps by a key made since
    code = key_verdict(signed_at, since=found.key_from, retired_at=found.retired_at, compromised_at=found.compromised_at)
    return fragment(code, evidence)


def key_verdict(signed_at: datetime, *, since: datetime, retired_at: datetime | None, compromised_at: datetime | None) -> str:
    """Return the code of an issuer whose key signed then. A retired key's signatures hold, a compromised one's only from before."""
    if compromised_at is not None:
        return "issuer.key_compromised" if signed_at >= compromised_at else "issuer.key_compromised_later"
    if signed_at < since.replace(microsecond=0) or (  # files tell whole seconds
        retired_at is not None and signed_at > retired_at
    ):
        return "issuer.key_not_in_force"
    return "issuer.key_retired" if retired_at is not None else "issuer.key_in_force"


def _unknown_status(asked: Identifier, found: Found) -> Fragment:
    return fragment("status.never_issued" if found.issues_here and not asked.warnings else "status.unknown_license")


def _unknown_issuer(found: Found) -> Fragment:
    return fragment("issuer.registered" if found.is_registered else "issuer.unknown")


def _summary(identifier: str, found: Found) -> Summary | None:
    if found.identifier != identifier:  # another version: whose it is now is nobody's business who shows an old one
        return None
    holder = found.holder or ""
    return Summary(
        identifier=found.identifier,
        type_code=found.type_code,
        type_name=found.type_name,
        issuer_code=found.issuer_code,
        issuer_name=found.issuer_name,
        version=found.version or "",
        issued_on=found.issued_on,
        valid_from=found.valid_from,
        valid_to=found.valid_to,
        holder=holder if found.code_type == ENTITY else mask_value(Mask.NAME, holder) or "",
    )
