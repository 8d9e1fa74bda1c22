"""The door for systems."""

from django.apps import AppConfig


class OpenapiConfig(AppConfig):
    """Owns no tables."""

    name = "openapi"
