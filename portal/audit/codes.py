"""What codes in audit entries mean (留痕代码), where the object of the entry has no column that says so.

By the noun of the action and the name of the detail, because one name means several things; datasets are called so everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from basedb.dictionary import DATASETS
from basedb.fusion.conflicts import Verdict as Finding
from catalog.models import SharingMode
from exchange import accesses
from exchange.dossiers import rights
from exchange.features.showing import Ground
from exchange.models.break_glass import Verdict
from exchange.models.material_return import ReturningSide
from exchange.models.matter import PartState
from licenses.models.license import UseChannel

CODES: Final[Mapping[tuple[str, str], Sequence[tuple[Any, Any]]]] = {
    ("break_glass", "mode"): SharingMode.choices,
    ("break_glass", "side"): ReturningSide.choices,
    ("break_glass", "verdict"): Verdict.choices,
    ("dossier", "reason"): rights.Reason.choices,
    ("fusion_conflict", "verdict"): Finding.choices,
    ("layer", "ground"): Ground.choices,
    ("license_uses", "channel"): UseChannel.choices,
    ("matter_case", "states"): PartState.choices,
    ("subject_accesses", "check"): accesses.Check.choices,
    ("subject_accesses", "reason"): accesses.Reason.choices,
    ("usage", "side"): ReturningSide.choices,
}
_OF_DATASETS: Final = ("dataset", "section")


def titles_of(action: str, name: str) -> dict[Any, Any]:
    """Return what the codes of one detail of an action mean; nothing where they are no codes."""
    noun, _dot, _participle = action.partition(".")
    if name in _OF_DATASETS:
        return {code: dataset.title for code, dataset in DATASETS.items()}
    return dict(CODES.get((noun, name), ()))
