"""Routes of the map page."""

from django.urls import path

from portal.map import views

urlpatterns = [
    path("", views.map_page, name="map"),
    path("outlines/", views.outlines, name="map-outlines"),
]
