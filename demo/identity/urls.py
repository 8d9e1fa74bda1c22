"""Route of the pretend identity application."""

from django.urls import path

from demo.identity.views import choose

urlpatterns = [path("", choose, name="demo-identity")]
