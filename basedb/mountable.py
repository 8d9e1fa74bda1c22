"""What the catalogue may mount on (可挂接的数据集): people and entities with their facts, and layers.

Keys of other subjects are kept for the platform's own links and never offered.
"""

from __future__ import annotations

from dataclasses import replace

from basedb.dictionary import DATASETS, Dataset, DataType, Kind, Subject


def offered() -> list[Dataset]:
    """Return the datasets somebody can be asked about, and those with a geometry."""
    return [_as_offered(dataset) for dataset in DATASETS.values() if _is_about_somebody(dataset) or _is_layer(dataset)]


def _is_about_somebody(dataset: Dataset) -> bool:
    return dataset.subject in (Subject.PERSON, Subject.LEGAL_ENTITY) or (
        dataset.kind is Kind.FACT and dataset.subject is Subject.EITHER
    )


def _is_layer(dataset: Dataset) -> bool:
    return any(field.data_type is DataType.GEOMETRY for field in dataset.fields)


def _as_offered(dataset: Dataset) -> Dataset:
    fields = tuple(field for field in dataset.fields if field.data_type is not DataType.SUBJECT)
    return replace(dataset, fields=fields)
