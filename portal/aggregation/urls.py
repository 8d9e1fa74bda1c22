"""Routes of aggregation."""

from django.urls import path

from portal.aggregation import rejects, views

urlpatterns = [
    path("", views.plan_list, name="plan-list"),
    path("plans/<uuid:uid>/", views.plan_detail, name="plan-detail"),
    path("plans/<uuid:uid>/start/", views.start, name="plan-start"),
    path("runs/<uuid:uid>/", views.run_detail, name="plan-run"),
    path("runs/<uuid:uid>/progress/", views.run_progress, name="plan-run-progress"),
    path("plans/<uuid:uid>/rejects/", rejects.reject_list, name="plan-rejects"),
    path("plans/<uuid:uid>/rejects/download/", rejects.download, name="plan-rejects-download"),
    path("plans/<uuid:uid>/rejects/upload/", rejects.upload, name="plan-rejects-upload"),
    path("plans/<uuid:uid>/rejects/replay/", rejects.replay, name="plan-rejects-replay"),
    path("plans/<uuid:uid>/rejects/dismiss/", rejects.dismiss, name="plan-rejects-dismiss"),
    path("rejects/<uuid:uid>/", rejects.correct, name="plan-reject"),
]
