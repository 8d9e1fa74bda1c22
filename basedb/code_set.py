"""What a code set is (代码集): the codes of one kind with their labels. The sets themselves are in `code_sets`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class CodeSet:
    """The codes of one kind with their Chinese labels."""

    code: str
    title: "_StrPromise"
    standard: str
    labels: Mapping[str, str]
    closed: bool = True

    def label(self, code: str) -> str:
        """Return the label, or the code itself when it is not listed."""
        return self.labels.get(code, code)
