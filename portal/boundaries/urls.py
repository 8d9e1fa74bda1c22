"""Routes of outlines of divisions and of coordinates of sources."""

from django.urls import path

from portal.boundaries import coordinates, views

urlpatterns = [
    path("boundaries/", views.loads, name="boundary-list"),
    path("boundaries/load/", views.load, name="boundary-load"),
    path("boundaries/coordinates/", coordinates.source_list, name="geometry-source-list"),
    path("boundaries/coordinates/<str:code>/", coordinates.decide, name="geometry-source-decide"),
]
