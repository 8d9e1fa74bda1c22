"""基础库: population, legal entities, geography, credit, licenses."""

from django.apps import AppConfig


class BasedbConfig(AppConfig):
    """The room of the base databases; offers people, entities, their facts and layers to the catalogue, a measure to quality."""

    name = "basedb"
    verbose_name = "基础库"

    def ready(self) -> None:
        from basedb import consequences, holdings_of, licenses, mountable
        from basedb.credit import timeliness
        from basedb.masking import MASK_TITLES
        from basedb.quality import measures
        from catalog import mounting

        consequences.connect()
        measures.register("publicity", timeliness.measure)
        holdings_of.register([licenses.HOLDING])
        mounting.register(mountable.offered(), {mask.value: title for mask, title in MASK_TITLES.items()})
