"""Routes of outlines of divisions."""

from django.urls import path

from portal.boundaries import views

urlpatterns = [
    path("boundaries/", views.loads, name="boundary-list"),
    path("boundaries/load/", views.load, name="boundary-load"),
]
