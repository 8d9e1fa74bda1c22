"""Routes of dossiers: an opened one is known by a handle of the session, never by whom it is about."""

from django.urls import path

from portal.dossiers import views

urlpatterns = [
    path("", views.open_one, name="dossier"),
    path("<uuid:handle>/", views.detail, name="dossier-detail"),
    path("<uuid:handle>/related/", views.open_related, name="dossier-related"),
    path("<uuid:handle>/fields/<slug:name>/", views.history, name="dossier-history"),
    path("<uuid:handle>/sections/<str:dataset>/", views.section, name="dossier-section"),
]
