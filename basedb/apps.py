"""基础库: population, legal entities, geography, credit, licenses."""

from django.apps import AppConfig


class BasedbConfig(AppConfig):
    """The room of the base databases; offers people, entities, their facts and layers to the catalogue for mounting."""

    name = "basedb"
    verbose_name = "基础库"

    def ready(self) -> None:
        from basedb import consequences, holdings_of, licenses, mountable
        from basedb.masking import MASK_TITLES
        from catalog import mounting

        consequences.connect()
        holdings_of.register([licenses.HOLDING])
        mounting.register(mountable.offered(), {mask.value: title for mask, title in MASK_TITLES.items()})
