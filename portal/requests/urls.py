"""Routes of access requests."""

from django.urls import path

from portal.requests import views

urlpatterns = [
    path("requests/", views.request_list, name="request-list"),
    path("requests/inbox/", views.inbox, name="request-inbox"),
    path("requests/new/<uuid:resource_uid>/", views.new, name="request-new"),
    path("requests/<uuid:uid>/", views.detail, name="request-detail"),
    path("requests/<uuid:uid>/edit/", views.edit, name="request-edit"),
    path("requests/<uuid:uid>/decide/", views.decide, name="request-decide"),
]
