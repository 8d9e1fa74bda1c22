"""Routes of grants, consumer systems and credentials."""

from django.urls import path

from portal.grants import systems, views

urlpatterns = [
    path("grants/", views.grant_list, name="grant-list"),
    path("grants/<uuid:uid>/", views.detail, name="grant-detail"),
    path("grants/<uuid:uid>/change/", views.change, name="grant-change"),
    path("systems/", systems.system_list, name="system-list"),
    path("systems/register/", systems.register, name="system-register"),
    path("systems/<uuid:uid>/", systems.detail, name="system-detail"),
    path("systems/<uuid:uid>/credentials/", systems.issue, name="system-issue"),
    path("credentials/<uuid:uid>/revoke/", systems.revoke, name="system-revoke"),
]
