"""Routes of tracing."""

from django.urls import path

from portal.tracing import accesses, views

urlpatterns = [
    path("traces/", views.trace, name="trace"),
    path("subject-accesses/", accesses.ask, name="subject-accesses"),
]
