"""Routes of baskets, bundles, copies and renewals."""

from django.urls import path

from portal.baskets import again, views

urlpatterns = [
    path("basket/", views.basket, name="basket-detail"),
    path("basket/add/<uuid:resource_uid>/", views.add, name="basket-add"),
    path("basket/entries/<uuid:uid>/remove/", views.remove, name="basket-remove"),
    path("bundles/", views.bundle_list, name="request-bundle-list"),
    path("bundles/<uuid:uid>/", views.bundle, name="request-bundle"),
    path("bundles/<uuid:uid>/endorse/", views.endorse, name="request-bundle-endorse"),
    path("requests/<uuid:uid>/copy/", again.copy, name="request-copy"),
    path("grants/<uuid:uid>/renew/", again.renew, name="grant-renew"),
]
