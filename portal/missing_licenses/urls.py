"""Routes of missing licenses. A report is named by its uid, never by whose license it is."""

from django.urls import path

from portal.missing_licenses import keeping, views

urlpatterns = [
    path("", views.report_list, name="missing-license-list"),
    path("new/", views.report, name="missing-license-new"),
    path("statistics/", keeping.figures, name="missing-license-statistics"),
    path("clocks/", keeping.clock_list, name="missing-license-clocks"),
    path("<uuid:uid>/", views.detail, name="missing-license-detail"),
]
