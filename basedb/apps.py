"""基础库: population, legal entities, geography, credit, licences."""

from django.apps import AppConfig


class BasedbConfig(AppConfig):
    """The room of the base databases; offers those with one row a subject, and layers, to the catalogue for mounting."""

    name = "basedb"
    verbose_name = "基础库"

    def ready(self) -> None:
        from basedb import consequences, holdings_of, licences
        from basedb.dictionary import BY_SUBJECT, DATASETS, DataType
        from basedb.masking import MASK_TITLES
        from catalog import mounting

        consequences.connect()
        holdings_of.register([licences.HOLDING])
        layers = [known for known in DATASETS.values() if any(field.data_type is DataType.GEOMETRY for field in known.fields)]
        mounting.register([*BY_SUBJECT.values(), *layers], {mask.value: title for mask, title in MASK_TITLES.items()})
