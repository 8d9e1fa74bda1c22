"""Routes of care."""

from django.urls import path

from portal.care import alerts, disposals, emergencies, holds, liabilities, usage

urlpatterns = [
    path("alerts/", alerts.alert_list, name="alert-list"),
    path("alerts/<uuid:uid>/", alerts.detail, name="alert-detail"),
    path("alerts/<uuid:uid>/handle/", alerts.handle, name="alert-handle"),
    path("break-glass/", emergencies.access_list, name="emergency-list"),
    path("break-glass/<uuid:uid>/", emergencies.detail, name="emergency-detail"),
    path("catalog/<uuid:uid>/emergency/", emergencies.open_one, name="emergency-new"),
    path("usage/", usage.usage_list, name="usage-list"),
    path("usage/<uuid:uid>/correct/", usage.correct, name="usage-correct"),
    path("grants/<uuid:uid>/usage/", usage.of_grant, name="usage-detail"),
    path("grants/<uuid:uid>/usage/record/", usage.record, name="usage-record"),
    path("grants/<uuid:uid>/usage/inspect/", usage.inspect, name="usage-inspect"),
    path("disposals/", disposals.disposal_list, name="disposal-list"),
    path("disposals/<uuid:uid>/", disposals.detail, name="disposal-detail"),
    path("disposals/<uuid:uid>/report/", disposals.report, name="disposal-report"),
    path("disposals/<uuid:uid>/decide/", disposals.decide, name="disposal-decide"),
    path("holds/", holds.hold_list, name="hold-list"),
    path("holds/new/", holds.place, name="hold-new"),
    path("holds/<uuid:uid>/release/", holds.release, name="hold-release"),
    path("liabilities/", liabilities.liability_list, name="liability-list"),
]
