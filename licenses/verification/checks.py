"""Verifying licenses by identifier or QR code (按标识核验, 扫码核验), and comparing a holder's name without telling it.

Reads only. A verification by somebody known is recorded by `recording`, others are counted by `counting`; files are `files`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db import connection
from django.utils.translation import gettext as _

from core.errors import Invalid
from licenses import numbering
from licenses.models import LicenseHolder
from licenses.numbering import Identifier
from licenses.recognition import trust
from licenses.status.checker import read_code
from licenses.verification.judging import judge
from licenses.verification.outcome import Result, fragment
from licenses.verification.statement import TEMPLATE, Found, found_in, values, written

LONGEST: Final = 400
LONGEST_NAME: Final = 200
_SQL: Final = TEMPLATE.replace("<<", "%(").replace(">>", ")s")


def verify_identifier(text: str, now: datetime) -> Result:
    """Return what is known of a license by its identifier; Invalid when the text cannot be one."""
    return verify(text, None, now)


def verify_code(text: str, now: datetime) -> Result:
    """Return what is known of a license by the text of its QR code, or by its identifier."""
    code = read_code(text[: LONGEST + 1])
    return verify(code.identifier, code.position, now)


def verify(text: str, position: int | None, now: datetime) -> Result:
    """Return what is known of a license; `position` is the place in the list of issued licenses its code claims."""
    asked = read_identifier(text)
    return with_foreign_issuer(judge(asked, found_by(asked), now=now, position=position), asked, now)


def read_identifier(text: str) -> Identifier:
    """Read an identifier somebody typed or scanned; Invalid when it is missing, too long or cannot be one."""
    if not text.strip():
        missing = _("请输入电子证照标识，或扫描证照上的二维码。")
        raise Invalid("license.identifier_missing", missing, {"identifier": [missing]})
    if len(text) > LONGEST:
        long = _("输入的内容过长，不是电子证照标识，请核对。")
        raise Invalid("license.identifier_unreadable", long, {"identifier": [long]})
    return numbering.parse(text)


def found_by(asked: Identifier) -> Found:
    """Return what the registers say, by Django's connection."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL, dict(values([asked])))
        (found,) = found_in(cursor.fetchall())
        return found


def with_foreign_issuer(result: Result, asked: Identifier, now: datetime) -> Result:
    """Return the result with what the trust list knows of an issuer nobody here knows."""
    if result.issuer.code != "issuer.unknown":
        return result
    issuer = trust.issuer_of(written(asked), now)
    return result if issuer is None else replace(result, issuer=issuer, status=fragment("status.foreign"))


def with_name_compared(result: Result, name: str) -> Result:
    """Return the result with whether a typed name is a holder's; None when no holder is known."""
    if result.license is None:
        return result
    known = _holders(result.license.identifier)
    return replace(result, holder_agrees=_plain(name) in known if known else None)


def _holders(identifier: str) -> set[str]:
    issued = LicenseHolder.objects.filter(license__identifier=identifier).values_list("name", flat=True)
    names = set(issued) or _aggregated_holders(identifier)
    return {_plain(name) for name in names}


def _aggregated_holders(identifier: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT holder_name FROM basedb_license WHERE left(identifier, -6) = left(%s, -6) AND identifier = %s "
            "AND withdrawn_at IS NULL",
            [identifier, identifier],
        )
        return {row[0] for row in cursor}


def _plain(name: str) -> str:
    """Return a name as it is compared: one width, no spaces, one sign for the dot of names of minorities."""
    folded = unicodedata.normalize("NFKC", name).replace("•", "·").replace("・", "·")
    return "".join(folded.split()).casefold()
