"""Routes of backflow."""

from django.urls import path

from portal.backflow import views

urlpatterns = [
    path("", views.subscription_list, name="backflow-list"),
    path("new/", views.new, name="backflow-new"),
    path("<uuid:uid>/", views.detail, name="backflow-detail"),
    path("<uuid:uid>/state/", views.change_state, name="backflow-state"),
    path("<uuid:uid>/start-over/", views.start_over, name="backflow-start-over"),
]
