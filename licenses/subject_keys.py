"""From the code of a holder to the key it is kept under (持证主体标识), the same key as in the base databases."""

from __future__ import annotations

from functools import cache
from typing import Final

from django.conf import settings

from basedb.lookup import read_key
from core.crypto import KeyRing

PERSON, ENTITY = "111", "001"
DATASET_OF: Final = {PERSON: "population.person", ENTITY: "legal_entity.enterprise"}


@cache
def key_ring() -> KeyRing:
    """Return the keys of this node, read once a process."""
    return KeyRing.load(settings.KEY_FILE)


def written(code_type: str, typed: str) -> str:
    """Return a holder's code in its standard writing; ValueError when its form or check character is wrong."""
    dataset = DATASET_OF.get(code_type)
    if dataset is None:
        raise ValueError("neither a citizen id nor a unified social credit code")
    return read_key(dataset, typed)


def subject_key(code: str) -> bytes:
    """Return the key of a code in its standard writing."""
    return key_ring().subject_key(code)


def key_of(typed: str) -> tuple[str, bytes] | None:
    """Return the kind of code somebody typed in and the key of its subject; None for what is neither."""
    for code_type in DATASET_OF:
        try:
            return code_type, subject_key(written(code_type, typed))
        except ValueError:
            continue
    return None
