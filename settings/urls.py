"""All routes: the door for systems below /openapi/, everything else is the door for people."""

from django.apps import apps
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.i18n import set_language

from openapi.metrics import metrics

urlpatterns = [
    path("openapi/", include("openapi.urls")),
    path("metrics", metrics, name="metrics"),
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    path("", include("openapi.mediator")),
    *([path("demo/identity/", include("demo.identity.urls"))] if apps.is_installed("demo") else []),
    path("", include("portal.urls")),
]
