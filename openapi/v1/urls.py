"""Routes of version 1: one include line a subject; names are `openapi:<subject>-<what>`."""

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from openapi.health import health
from openapi.schema import RememberedGenerator

app_name = "openapi"
urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health, name="health"),
    path("schema", SpectacularAPIView.as_view(generator_class=RememberedGenerator), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="openapi:schema"), name="docs"),
    path("", include("openapi.v1.resources")),
    path("", include("openapi.v1.catalog")),
    path("", include("openapi.v1.access_request_cases")),
    path("", include("openapi.v1.bundles")),
    path("", include("openapi.v1.remarks")),
    path("", include("openapi.v1.sources")),
    path("", include("openapi.v1.access_requests")),
    path("", include("openapi.v1.desks")),
    path("", include("openapi.v1.grant_descriptions")),
    path("", include("openapi.v1.care")),
    path("", include("openapi.v1.credit")),
    path("", include("openapi.v1.grant_terms")),
    path("", include("openapi.v1.grant_files")),
    path("", include("openapi.v1.grants")),
    path("", include("openapi.v1.systems")),
    path("", include("openapi.v1.answer_keys")),
    path("", include("openapi.v1.calls")),
    path("", include("openapi.v1.call_jobs")),
    path("", include("openapi.v1.call_records")),
    path("", include("openapi.v1.traces")),
    path("", include("openapi.v1.statistics")),
    path("", include("openapi.v1.aggregation")),
    path("", include("openapi.v1.fusion")),
    path("", include("openapi.v1.matching")),
    path("", include("openapi.v1.quality")),
    path("", include("openapi.v1.lineage")),
    path("", include("openapi.v1.thematic")),
    path("", include("openapi.v1.zones")),
    path("", include("openapi.v1.dossiers")),
    path("", include("openapi.v1.matter_cases")),
    path("", include("openapi.v1.license_batches")),
    path("", include("openapi.v1.license_statistics")),
    path("", include("openapi.v1.license_types")),
    path("", include("openapi.v1.geography")),
    path("", include("openapi.v1.ogc")),
    path("", include("openapi.v1.license_files")),
    path("", include("openapi.v1.presenting")),
    path("", include("openapi.v1.license_status")),
    path("", include("openapi.v1.license_verifications")),
    path("", include("openapi.v1.missing_licenses")),
    path("", include("openapi.v1.license_exchange")),
]
