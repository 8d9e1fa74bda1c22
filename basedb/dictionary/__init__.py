"""The field contract of the base databases (数据字典): which fields a dataset has and what each of them must be.

Catalogue drafts, staging tables, validation, masks and grants all read this contract; the models of this room have
columns of the same names. Code sets are in `code_sets`, rules in `rules`, cleaning in `cleaning`. One module a base.
"""

from collections.abc import Mapping
from types import MappingProxyType

from basedb.dictionary import credit, geography, legal_entity, licenses, population
from basedb.dictionary.contract import Dataset, DataType, Field, Grade, Kind, Source, Subject, Writing
from basedb.dictionary.legal_entity import ENTERPRISE
from basedb.dictionary.population import PERSON

__all__ = [
    "BY_SUBJECT",
    "DATASETS",
    "ENTERPRISE",
    "PERSON",
    "DataType",
    "Dataset",
    "Field",
    "Grade",
    "Kind",
    "Source",
    "Subject",
    "Writing",
]

_BASES = (population, legal_entity, credit, licenses, geography)

DATASETS: Mapping[str, Dataset] = MappingProxyType({dataset.code: dataset for base in _BASES for dataset in base.DATASETS})
# One row a person or entity: what is mounted, called by key and delivered back.
BY_SUBJECT: Mapping[str, Dataset] = MappingProxyType(
    {
        code: dataset
        for code, dataset in DATASETS.items()
        if dataset.kind is Kind.MASTER and dataset.subject in (Subject.PERSON, Subject.LEGAL_ENTITY)
    }
)
