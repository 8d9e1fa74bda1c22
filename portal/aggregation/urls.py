"""Routes of aggregation."""

from django.urls import path

from portal.aggregation import laying_down, rejects, upkeep, views

urlpatterns = [
    path("", views.plan_list, name="plan-list"),
    path("new/", laying_down.new, name="plan-new"),
    path("drafts/<uuid:uid>/", laying_down.connection, name="plan-draft"),
    path("drafts/<uuid:uid>/mapping/", laying_down.map_columns, name="plan-draft-mapping"),
    path("drafts/<uuid:uid>/schedule/", laying_down.schedule, name="plan-draft-schedule"),
    path("drafts/<uuid:uid>/catalog/", laying_down.catalog, name="plan-draft-catalog"),
    path("plans/<uuid:uid>/edit/", upkeep.edit, name="plan-edit"),
    path("plans/<uuid:uid>/check/", upkeep.check, name="plan-check"),
    path("plans/<uuid:uid>/switch/", upkeep.switch, name="plan-switch"),
    path("plans/<uuid:uid>/start-over/", upkeep.start_over, name="plan-start-over"),
    path("changes/<uuid:uid>/", upkeep.decide_change, name="plan-change"),
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
