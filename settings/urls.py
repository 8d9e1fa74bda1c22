"""All routes: the door for systems below /openapi/, everything else is the door for people."""

from django.urls import include, path

urlpatterns = [
    path("openapi/", include("openapi.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("portal.urls")),
]
