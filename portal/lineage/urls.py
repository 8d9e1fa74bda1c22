"""Routes of lineage."""

from django.urls import path

from portal.lineage import views

urlpatterns = [
    path("", views.lineage, name="lineage"),
    path("impact/", views.download, name="lineage-impact"),
]
