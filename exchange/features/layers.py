"""A layer (图层): what a selection of a dataset shows on a map - one geometry, its other items, what may be filtered by.

Items under a mask are shown masked and cannot be filtered by: a filter would tell what the mask hides. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from basedb.dictionary import DATASETS, DataType, Field, Kind
from basedb.dictionary.geography import DIVISION
from basedb.lookup import Column, Selection
from basedb.masking import Mask

FILTERABLE: Final = (DataType.TEXT, DataType.NUMBER, DataType.DATE)


@dataclass(frozen=True, slots=True)
class Layer:
    """One geometry and the items around it. Equal layers compile to the same SQL."""

    selection: Selection
    geometry: Column
    properties: tuple[Column, ...]

    @property
    def table(self) -> str:
        """The table of the dataset."""
        return DATASETS[self.selection.dataset].table

    @property
    def key(self) -> str:
        """The column of sixteen bytes that names a feature, unique and never changed."""
        return "row_key" if DATASETS[self.selection.dataset].kind is Kind.FACT else "subject_key"

    def field(self, column: Column) -> Field:
        """Return the field behind a column."""
        return DATASETS[self.selection.dataset].field(column.field)

    def queryables(self) -> dict[str, Column]:
        """Return what may be filtered by: item -> column, without what is masked."""
        open_columns = (column for column in self.properties if column.mask is Mask.NONE)
        return {column.item: column for column in open_columns if self.field(column).data_type in FILTERABLE}

    def period(self) -> tuple[str, str]:
        """Return the columns of the first and the last day a feature holds, "" for one that is not granted or not known."""
        fields = {column.field for column in self.properties if column.mask is Mask.NONE}
        return ("valid_from" if "valid_from" in fields else "", "valid_to" if "valid_to" in fields else "")

    @property
    def is_end_exclusive(self) -> bool:
        """Whether a feature holds no more on its last day: the day of a change of divisions belongs to the new ones."""
        return self.selection.dataset == DIVISION.code


@lru_cache(maxsize=512)
def layer_of(selection: Selection) -> Layer | None:
    """Return the layer a selection shows; None without a geometry that may be seen."""
    dataset = DATASETS[selection.dataset]
    shapes = [column for column in selection.columns if dataset.field(column.field).data_type is DataType.GEOMETRY]
    shown = [column for column in shapes if column.mask is not Mask.HIDDEN]
    if not shown:
        return None
    return Layer(selection, shown[0], tuple(column for column in selection.columns if column not in shapes))


def layer_codes() -> list[str]:
    """Return the datasets that have a geometry."""
    return [code for code, known in DATASETS.items() if any(field.data_type is DataType.GEOMETRY for field in known.fields)]
