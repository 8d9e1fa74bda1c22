"""Routes of the door for systems; whatever does not exist answers with the error body."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from openapi.errors import not_found

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/", include("openapi.v1.urls")),
    re_path(r"^(?P<path>.*)$", not_found),
]
