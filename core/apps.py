"""The kernel room."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    """The kernel; privileges of the database roles are laid down again after every migration."""

    name = "core"
    verbose_name = "内核"

    def ready(self) -> None:
        from core import database_roles

        post_migrate.connect(database_roles.after_migrate, dispatch_uid="core.database_roles")
