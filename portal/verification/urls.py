"""Routes of public verification."""

from django.urls import path

from portal.verification import views

urlpatterns = [
    path("", views.verify, name="verification"),
    path("file/", views.verify_file, name="verification-file"),
    path("offline/", views.offline, name="verification-offline"),
    path("offline/license_checker.py", views.offline_checker, name="verification-checker"),
]
