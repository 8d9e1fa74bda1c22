"""Routes of matching."""

from django.urls import path

from portal.matching import views

urlpatterns = [
    path("matching/", views.matching_list, name="matching-list"),
    path("matching/<uuid:uid>/", views.detail, name="matching-detail"),
]
