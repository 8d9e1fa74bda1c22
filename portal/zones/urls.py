"""Routes of zones."""

from django.urls import path

from portal.zones import views

urlpatterns = [
    path("", views.department, name="zone-department"),
    path("region/", views.region, name="zone-region"),
]
