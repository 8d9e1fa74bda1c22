"""A holder's own licenses (我的证照): what the whole city knows, the live ones first, with the face of those issued here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from basedb.licenses import licenses_of
from basedb.models import License as CityLicense
from licenses.models import License, LicenseState, TypeState, TypeVersion
from licenses.presenting.sessions import Session
from licenses.types.rulebook import Rulebook, read


@dataclass(frozen=True, slots=True)
class Held:
    """A license as its holder sees it; `face` are titles and values, empty when the issuer delivered none."""

    row: str
    type_code: str
    title: str
    number: str
    issuer: str
    issued_on: date | None
    valid_to: date | None
    state: str
    is_live: bool
    identifier: str
    face: list[tuple[str, str]]


def held_by(session: Session, *, today: date, row: str = "") -> list[Held]:
    """Return the licenses a session may show, or the one of a row; an agent sees the types authorized."""
    found = licenses_of(subject_key=session.subject_key, today=today)
    if session.type_codes:
        found = [one for one in found if one["type_code"] in session.type_codes]
    if row:
        found = [one for one in found if one["row_key"] == row]
    faces = _faces(session, found) if row else {}
    return [_held(one, faces) for one in found]


def _held(one: dict[str, Any], faces: dict[str, list[tuple[str, str]]]) -> Held:
    labels = dict(LicenseState.choices) | {"EXPIRED": LicenseState.LAPSED.label}
    return Held(
        row=one["row_key"],
        type_code=one["type_code"],
        title=one["title"],
        number=one["number"],
        issuer=one["issuer"],
        issued_on=one["issued_on"],
        valid_to=one["valid_to"],
        state=str(labels.get(one["state"], one["state"])),
        is_live=one["is_live"],
        identifier=one["identifier"] or "",
        face=faces.get(one["row_key"], []),
    )


def _faces(session: Session, found: list[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    """Return the face of each license under the titles of its type."""
    identifiers = [one["identifier"] for one in found if one["identifier"]]
    own = License.objects.filter(identifier__in=identifiers, holders__subject_key=session.subject_key)
    issued = dict(own.values_list("identifier", "face"))  # an identifier delivered for somebody else shows nobody's face
    keys = [bytes.fromhex(one["row_key"]) for one in found]
    delivered = {
        bytes(key).hex(): face
        for key, face in CityLicense.objects.filter(subject_key=session.subject_key, row_key__in=keys).values_list(
            "row_key", "face"
        )
    }
    books = rulebooks({one["type_code"] for one in found})
    return {
        one["row_key"]: shown_face(
            books.get(one["type_code"], Rulebook()), issued.get(one["identifier"]) or delivered.get(one["row_key"]) or {}
        )
        for one in found
    }


def rulebooks(type_codes: set[str]) -> dict[str, Rulebook]:
    """Return the newest published rulebooks of some types."""
    versions = TypeVersion.objects.filter(code__in=type_codes).exclude(state=TypeState.DRAFT).order_by("code", "number")
    return {version.code: read(version.rulebook)[0] for version in versions}


def shown_face(book: Rulebook, face: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what is known of a face as people read it, in the rulebook's order; items it does not know come last as they are."""
    known = [(item.title, item.shown(str(face[item.name]))) for item in book.items if face.get(item.name) not in (None, "")]
    return known + [(name, str(value)) for name, value in face.items() if name not in book.by_name and value not in (None, "")]


def item_titles(type_codes: set[str]) -> dict[str, dict[str, str]]:
    """Return the titles of the face items of some types: type -> name -> title."""
    versions = TypeVersion.objects.filter(code__in=type_codes).exclude(state=TypeState.DRAFT).order_by("code", "number")
    return {version.code: {item["name"]: item["title"] for item in version.rulebook} for version in versions}
