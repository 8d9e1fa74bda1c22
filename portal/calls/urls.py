"""Routes of the call log."""

from django.urls import path

from portal.calls import views

urlpatterns = [
    path("calls/", views.call_list, name="call-list"),
    path("calls/export/", views.export, name="call-export"),
    path("calls/attempts/", views.attempts, name="call-attempts"),
    path("calls/<uuid:call_id>/", views.detail, name="call-detail"),
]
