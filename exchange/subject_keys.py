"""From an identifier somebody typed in to the key it is kept under (对象标识): the identifier itself is kept nowhere."""

from __future__ import annotations

from basedb.lookup import read_key
from exchange.systems import key_ring

DATASETS = ("population.person", "legal_entity.enterprise")


def subject_key_of(typed: str) -> bytes | None:
    """Return the key of a citizen's id or of a legal entity's code; None for what is neither."""
    for dataset in DATASETS:
        try:
            return key_ring().subject_key(read_key(dataset, typed))
        except ValueError:
            continue
    return None
