"""Other subjects a row names (关联主体): officers, spouses, parents, successors. Their identifier is delivered, only the key stays.

Sealing happens before anything is judged or stored, so that neither records nor rejected rows hold somebody else's number. What
cannot be an identifier is passed on as it came, and the rules reject it with a reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from basedb.dictionary import Field, Subject
from basedb.identifiers import citizen_id_valid, normalize_citizen_id, upgrade_citizen_id, uscc_valid

_KEY: Final = re.compile("[0-9a-f]{32}")
# Passports and travel permits begin with letters; what has digits only and is no citizen id is a typing error.
_PAPER: Final = re.compile("[A-Z]{1,3}[0-9]{5,12}")


def sealed(field: Field, raw: str | None, subject_key: Callable[[str], bytes]) -> str | None:
    """Return the key of the subject a link field names, as 32 hex digits; a key stays, anything else comes back as it is."""
    if raw is None or field.link is None or _KEY.fullmatch(raw):
        return raw
    identifier = identifier_of(field.link, raw)
    return raw if identifier is None else subject_key(identifier).hex()


def sealed_values(
    linked: Sequence[tuple[int, Field]], values: Sequence[str | None], subject_key: Callable[[str], bytes]
) -> list[str | None]:
    """Return the values of a row with those at the places of link fields sealed."""
    kept = list(values)
    for place, field in linked:
        kept[place] = sealed(field, kept[place], subject_key)
    return kept


def identifier_of(subject: Subject, raw: str) -> str | None:
    """Return the standard writing of an identifier of a person (or their travel paper) or of a legal entity; None for neither."""
    text = upgrade_citizen_id(normalize_citizen_id(raw))
    if subject is not Subject.LEGAL_ENTITY and (citizen_id_valid(text) or _PAPER.fullmatch(text)):
        return text
    if subject is not Subject.PERSON and uscc_valid(text):
        return text
    return None
