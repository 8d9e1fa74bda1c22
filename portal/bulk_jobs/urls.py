"""Routes of bulk jobs."""

from django.urls import path

from portal.bulk_jobs import views

urlpatterns = [
    path("grants/<uuid:uid>/jobs/", views.job_list, name="bulk-list"),
    path("jobs/<uuid:uid>/", views.detail, name="bulk-detail"),
    path("jobs/<uuid:uid>/progress/", views.progress, name="bulk-progress"),
    path("jobs/<uuid:uid>/cancel/", views.cancel, name="bulk-cancel"),
]
