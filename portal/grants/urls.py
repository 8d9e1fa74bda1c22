"""Routes of grants, consumer systems and credentials."""

from django.urls import path

from portal.grants import calling, changes, history, masks, public_keys, systems, views

urlpatterns = [
    path("grants/", views.grant_list, name="grant-list"),
    path("grants/<uuid:uid>/", views.detail, name="grant-detail"),
    path("grants/<uuid:uid>/change/", views.change, name="grant-change"),
    path("grants/<uuid:uid>/example/", calling.example, name="grant-example"),
    path("grants/<uuid:uid>/versions/", history.versions, name="grant-versions"),
    path("grants/<uuid:uid>/narrow/", changes.narrow, name="grant-narrow"),
    path("grants/<uuid:uid>/terminate/", changes.terminate, name="grant-terminate"),
    path("grants/<uuid:uid>/addresses/", changes.addresses, name="grant-addresses"),
    path("grants/<uuid:uid>/clients/", changes.clients, name="grant-clients"),
    path("grants/<uuid:uid>/clients/token-key/", changes.token_key, name="grant-token-key"),
    path("requests/<uuid:uid>/masks/", masks.choose, name="request-masks"),
    path("systems/", systems.system_list, name="system-list"),
    path("systems/register/", systems.register, name="system-register"),
    path("systems/<uuid:uid>/", systems.detail, name="system-detail"),
    path("systems/<uuid:uid>/credentials/", systems.issue, name="system-issue"),
    path("systems/<uuid:uid>/public-key/", public_keys.hand_in, name="system-public-key"),
    path("credentials/<uuid:uid>/revoke/", systems.revoke, name="system-revoke"),
]
