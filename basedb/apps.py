"""基础库: population and legal entity so far."""

from django.apps import AppConfig


class BasedbConfig(AppConfig):
    """The room of the base databases; offers its datasets to the catalogue for mounting."""

    name = "basedb"
    verbose_name = "基础库"

    def ready(self) -> None:
        from basedb.dictionary import DATASETS
        from basedb.masking import MASK_TITLES
        from catalog import mounting

        mounting.register(DATASETS.values(), {mask.value: title for mask, title in MASK_TITLES.items()})
