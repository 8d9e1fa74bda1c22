"""Routes of op-monitoring."""

from django.urls import path

from portal.monitoring import views

urlpatterns = [path("monitoring/", views.overview, name="monitoring")]
