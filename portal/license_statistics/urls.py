"""Routes of the statistics of licenses."""

from django.urls import path

from portal.license_statistics import views

urlpatterns = [
    path("", views.held, name="license-statistics"),
    path("use/", views.use, name="license-statistics-use"),
    path("export/", views.export, name="license-statistics-export"),
]
