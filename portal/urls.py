"""Routes of the door for people: one include line a subject; every name is `portal:<subject>-<page>`."""

from django.urls import URLPattern, URLResolver, include, path

from portal import accounts, home, notices

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("login/", accounts.sign_in, name="login"),
    path("logout/", accounts.sign_out, name="logout"),
    path("account/", accounts.account, name="account"),
    path("account/password/", accounts.change_password, name="password-change"),
    path("notifications/", notices.notifications, name="notification-list"),
    path("notifications/read/", notices.read_all, name="notification-read-all"),
    path("notifications/<uuid:uid>/", notices.open_one, name="notification-open"),
    path("", include("portal.catalog.urls")),
    path("audit/", include("portal.audit.urls")),
    path("evidence/", include("portal.evidence.urls")),
    path("", include("portal.people.urls")),
    path("", include("portal.boundaries.urls")),
    path("", include("portal.requests.urls")),
    path("", include("portal.baskets.urls")),
    path("", include("portal.remarks.urls")),
    path("", include("portal.grants.urls")),
    path("", include("portal.bulk_jobs.urls")),
    path("", include("portal.calls.urls")),
    path("", include("portal.tracing.urls")),
    path("", include("portal.monitoring.urls")),
    path("aggregation/", include("portal.aggregation.urls")),
    path("backflow/", include("portal.backflow.urls")),
    path("", include("portal.sources.urls")),
    path("", include("portal.care.urls")),
    path("", include("portal.fusion.urls")),
    path("", include("portal.matching.urls")),
    path("map/", include("portal.map.urls")),
    path("credit/", include("portal.credit.urls")),
    path("quality/", include("portal.quality.urls")),
    path("thematic/", include("portal.thematic.urls")),
    path("zones/", include("portal.zones.urls")),
    path("life-events/", include("portal.life_events.urls")),
    path("dossiers/", include("portal.dossiers.urls")),
    path("lineage/", include("portal.lineage.urls")),
    path("", include("portal.license_files.urls")),
    path("verify/", include("portal.verification.urls")),
    path("missing-licenses/", include("portal.missing_licenses.urls")),
    path("recognition/", include("portal.recognition.urls")),
]
