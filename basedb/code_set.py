"""What a code set is (代码集): the codes of one kind with their labels. The sets themselves are in `code_sets`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.texts import bracketed

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
    class_length: int = 0  # with so many first letters a finer code names a listed class, as P83 does in 教育 (P)

    def label(self, code: str) -> str:
        """Return the label; of a finer code that of its class with the code behind it; else the code itself."""
        if code in self.labels:
            return self.labels[code]
        head = code[: self.class_length]
        word = self.labels.get(head) or self.labels.get(head.ljust(len(code), "0")) if head else None
        return bracketed(word, code) if word else code
