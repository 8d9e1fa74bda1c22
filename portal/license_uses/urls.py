"""Routes of the use records."""

from django.urls import path

from portal.license_uses import views

urlpatterns = [path("", views.use_list, name="license-use-list")]
