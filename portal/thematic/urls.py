"""Routes of thematic databases."""

from django.urls import path

from portal.thematic import views, writing

urlpatterns = [
    path("", views.definition_list, name="thematic-list"),
    path("new/", writing.add, name="thematic-new"),
    path("<uuid:uid>/", views.detail, name="thematic-detail"),
    path("<uuid:uid>/rows/", views.row_list, name="thematic-rows"),
    path("<uuid:uid>/change/", writing.change, name="thematic-change"),
    path("<uuid:uid>/approve/", views.approve, name="thematic-approve"),
    path("<uuid:uid>/retire/", views.retire, name="thematic-retire"),
    path("<uuid:uid>/refresh/", views.refresh, name="thematic-refresh"),
]
