"""Routes of sealed files and copies; a copy's link is open to whoever has it."""

from django.urls import path

from portal.license_files import views

urlpatterns = [
    path("licenses/<uuid:uid>/files/", views.files_page, name="license-files"),
    path("licenses/<uuid:uid>/files/preview.svg", views.preview, name="license-file-preview"),
    path("licenses/<uuid:uid>/files/license.<str:kind>", views.download, name="license-file"),
    path("license-copies/<str:token>/", views.copy, name="license-copy"),
]
