"""Routes of public credit. A record is named by its kind and row key, never by whom it is about."""

from django.urls import path

from portal.credit import cases, keeping, records, tiers

RECORD = "records/<slug:kind>/<slug:key>/"

urlpatterns = [
    path("", records.record_list, name="credit-list"),
    path("subject/", records.of_subject, name="credit-subject"),
    path(RECORD, records.detail, name="credit-detail"),
    path(RECORD + "repair/", cases.submit_repair, name="credit-repair-new"),
    path(RECORD + "objection/", cases.raise_objection, name="credit-objection-new"),
    path(RECORD + "retract/", records.retract, name="credit-retract"),
    path("repairs/", cases.repair_list, name="credit-repair-list"),
    path("repairs/<uuid:uid>/", cases.repair_detail, name="credit-repair-detail"),
    path("objections/", cases.objection_list, name="credit-objection-list"),
    path("objections/<uuid:uid>/", cases.objection_detail, name="credit-objection-detail"),
    path("catalog/", keeping.catalog, name="credit-catalog"),
    path("tiers/", tiers.tier_list, name="credit-tier-list"),
    path("tiers/<slug:code>/", tiers.change, name="credit-tier-change"),
    path("timeliness/", keeping.timeliness_page, name="credit-timeliness"),
    path("shields/", keeping.shield_list, name="credit-shield-list"),
    path("shields/new/", keeping.place_shield, name="credit-shield-new"),
    path("shields/<uuid:uid>/end/", keeping.end_shield, name="credit-shield-end"),
]
