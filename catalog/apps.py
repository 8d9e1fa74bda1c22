"""目录: who provides what, on which terms."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """The catalogue room."""

    name = "catalog"
    verbose_name = "目录"
