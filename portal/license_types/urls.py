"""Routes of the type catalogue. A type is named by its public code, a version and a line of the list of uses by their uid."""

from django.urls import path

from portal.license_types import catalogue, deciding, editing, exports, offices

VERSION = "versions/<uuid:uid>/"
TYPE = "<slug:code>/"

urlpatterns = [
    path("", catalogue.type_list, name="license-type-list"),
    path("new/", editing.new, name="license-type-new"),
    path("load/", deciding.load, name="license-type-load"),
    path("uses/", catalogue.use_list, name="license-type-use-list"),
    path("export/", exports.types, name="license-type-export"),
    path("uses/export/", exports.use_lines, name="license-type-use-export"),
    path("uses/<uuid:uid>/publish/", deciding.publish_use, name="license-type-use-publish"),
    path("uses/<uuid:uid>/end/", deciding.end_use, name="license-type-use-end"),
    path("offices/<uuid:uid>/confirm/", offices.confirm, name="license-type-office-confirm"),
    path("offices/<uuid:uid>/end/", offices.end, name="license-type-office-end"),
    path(VERSION, catalogue.version_page, name="license-type-version"),
    path(VERSION + "facts/", editing.facts, name="license-type-facts"),
    path(VERSION + "item/", editing.item, name="license-type-item"),
    path(VERSION + "element/", editing.element, name="license-type-element"),
    path(VERSION + "page/", editing.page, name="license-type-page"),
    path(VERSION + "arrange/", editing.arrange, name="license-type-arrange"),
    path(VERSION + "submit/", deciding.submit, name="license-type-submit"),
    path(VERSION + "return/", deciding.send_back, name="license-type-return"),
    path(VERSION + "publish/", deciding.publish, name="license-type-publish"),
    path(TYPE, catalogue.type_detail, name="license-type-detail"),
    path(TYPE + "next/", deciding.open_next, name="license-type-next"),
    path(TYPE + "compare/", catalogue.compare, name="license-type-compare"),
    path(TYPE + "retire/", deciding.retire, name="license-type-retire"),
    path(TYPE + "entrust/", deciding.entrust, name="license-type-entrust"),
    path(TYPE + "offices/new/", offices.propose, name="license-type-office-new"),
    path(TYPE + "uses/new/", deciding.propose_use, name="license-type-use-new"),
]
