"""Routes of the evidence."""

from django.urls import path

from portal.evidence import views

urlpatterns = [
    path("", views.seals, name="evidence-list"),
    path("export/", views.export, name="evidence-export"),
]
