"""基础库: population and legal entity so far."""

from django.apps import AppConfig


class BasedbConfig(AppConfig):
    """The room of the base databases."""

    name = "basedb"
    verbose_name = "基础库"
