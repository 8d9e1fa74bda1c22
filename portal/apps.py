"""The door for people."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Owns no tables."""

    name = "portal"
