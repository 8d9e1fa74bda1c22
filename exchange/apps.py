"""共享交换: requests, grants, calls, aggregation, backflow."""

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    """The business room. Keep it the last room in INSTALLED_APPS: privileges are laid down after it has migrated."""

    name = "exchange"
    verbose_name = "共享交换"

    def ready(self) -> None:
        """Offer the registered sources to the catalogue for mounting, and what is known of their quality to the rules."""
        from basedb.quality import measures
        from catalog import mounting
        from exchange.aggregation import quality
        from exchange.recognition.transport import HttpTransport
        from exchange.sources.offering import RegisteredSources
        from licenses.recognition import transport

        mounting.register_finder(("table", "interface"), RegisteredSources())
        transport.use(HttpTransport())
        measures.register("freshness", quality.freshness)
        measures.register("reconciliation", quality.reconciliation)
        measures.register("accessibility", quality.accessibility)
