"""Routes of the catalogue. The commands of an entry are one route each: `resource-submit`, `resource-endorse`, and so on."""

from django.urls import path

from portal.catalog import editing, views

urlpatterns = [
    path("catalog/", views.resource_list, name="resource-list"),
    path("catalog/mine/", views.mine, name="resource-mine"),
    path("catalog/inbox/", views.inbox, name="resource-inbox"),
    path("catalog/new/", editing.new, name="resource-new"),
    path("catalog/<uuid:uid>/", views.detail, name="resource-detail"),
    path("catalog/<uuid:uid>/versions/<int:version>/", views.version, name="resource-version"),
    path("catalog/<uuid:uid>/edit/", editing.edit, name="resource-edit"),
    path("catalog/<uuid:uid>/mount/", editing.mount, name="resource-mount"),
    *(
        path(f"catalog/<uuid:uid>/{command.lower()}/", views.carry_out, {"command": command}, name=f"resource-{command.lower()}")
        for command in views.COMMANDS
    ),
]
